"""Laws of the identifiers and of money."""

from __future__ import annotations

from datetime import date

from hypothesis import assume, example, given
from hypothesis import strategies as st

from services.kernel import (
    deciding,
    document_number,
    money,
    names,
    registration_number,
    resident_id,
    uscc,
    working_days,
)
from services.kernel import organisation_code as org

bodies = st.text(uscc.ALPHABET, min_size=17, max_size=17).filter(lambda b: b != "0" * 17)
digits14 = st.from_regex(r"[1-9][0-9]{13}", fullmatch=True)
days = st.dates(date(2004, 1, 1), date(2026, 6, 1))


@given(bodies)
def test_a_completed_code_is_valid(body: str) -> None:
    assert uscc.is_valid(uscc.complete(body))


@given(bodies, st.integers(0, 17), st.sampled_from(uscc.ALPHABET))
def test_one_wrong_character_is_always_found(body: str, at: int, other: str) -> None:
    code = uscc.complete(body)
    wrong = code[:at] + other + code[at + 1 :]
    assert (wrong == code) == uscc.is_valid(wrong)


@given(st.text(max_size=40))
def test_no_text_breaks_the_checks(text: str) -> None:
    uscc.check(text)
    resident_id.is_valid(resident_id.normalise(text))
    money.capital(text)


@given(st.text(max_size=40))
@example("C¸")  # a cedilla is a space and a mark until the space is dropped
@example("İ̇ΐ ŉ")
def test_normal_forms_are_stable(text: str) -> None:
    assert resident_id.normalise(resident_id.normalise(text)) == resident_id.normalise(text)
    assert names.matching_key(names.matching_key(text)) == names.matching_key(text)
    assert document_number.normalise(document_number.normalise(text)) == document_number.normalise(text)


@given(st.integers(0, 10**15))
def test_fen_survive_being_written_in_ten_thousands(fen: int) -> None:
    assert money.fen_of_wan(money.wan_of_fen(fen)) == fen


@given(days, st.integers(0, 60), st.integers(0, 60))
def test_terms_add_up(start: date, first: int, second: int) -> None:
    middle = working_days.add_working_days(start, first)
    assert working_days.add_working_days(middle, second) == working_days.add_working_days(start, first + second)
    assert middle >= start


@given(bodies, st.integers(0, 16))
def test_two_neighbours_swapped_are_always_found(body: str, at: int) -> None:
    code = uscc.complete(body)
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert (swapped == code) == uscc.is_valid(swapped)


@given(bodies)
def test_a_repaired_code_needs_no_second_repair(body: str) -> None:
    code = uscc.complete(body)
    found = uscc.check(f" {code.lower()}")
    assert (found.code, found.fault, found.repaired) == (code, "", True)
    assert not uscc.check(found.code).repaired


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=8, max_size=8))
def test_the_organisation_check_is_the_sum_of_the_standard(body: str) -> None:
    value = 11 - sum(int(c, 36) * w for c, w in zip(body, org.WEIGHTS, strict=True)) % 11
    assert org.check_character(body) == {10: "X", 11: "0"}.get(value, str(value))


@given(digits14)
def test_a_registration_number_has_one_right_last_digit(body: str) -> None:
    assert sum(registration_number.is_valid(body + digit) for digit in "0123456789") == 1


@given(st.dates(date(1880, 1, 1), date(1899, 12, 31)), st.sampled_from(resident_id.CENTENARIANS))
def test_a_centenarians_short_number_is_born_in_the_century_before(born: date, sequence: str) -> None:
    number = resident_id.normalise(f"420106{born:%y%m%d}{sequence}")
    assert resident_id.is_valid(number)
    assert number[6:14] == f"{born:%Y%m%d}"


@given(st.dates(date(1900, 1, 1), date(1905, 12, 31)), st.integers(0, 995), st.integers(0, 17), st.integers(0, 9))
def test_one_wrong_digit_of_a_resident_id_is_always_found(born: date, sequence: int, at: int, digit: int) -> None:
    number = resident_id.normalise(f"420106{born:%y%m%d}{sequence:03}")
    wrong = number[:at] + str(digit) + number[at + 1 :]
    assume(wrong != number)
    assert resident_id.is_valid(number)
    assert not resident_id.is_valid(wrong)


@given(days, days, st.integers(0, 60))
def test_a_later_start_never_ends_earlier(one: date, other: date, term: int) -> None:
    first, second = sorted((one, other))
    assert working_days.add_working_days(first, term) <= working_days.add_working_days(second, term)


@given(days, st.integers(1, 60))
def test_a_term_ends_on_a_working_day_and_holds_that_many(start: date, term: int) -> None:
    end = working_days.add_working_days(start, term)
    assert working_days.is_working_day(end)
    assert working_days.working_days_between(start, end) == term
    assert working_days.next_working_day(end) == end


@given(st.integers(0, 10**9), st.sampled_from(sorted(money.CURRENCIES)), st.booleans())
def test_capital_means_the_same_grouped_or_not_and_with_or_without_brackets(n: int, unit: str, bracket: bool) -> None:
    written = f"({unit})" if bracket else unit
    expected = money.Capital(n * money.FEN_PER_WAN, money.CURRENCIES[unit])
    assert money.capital(f"{n:,}{written}") == money.capital(f"{n}{written}") == expected


@given(st.text(max_size=20), st.sampled_from(["有限公司", "股份有限公司", "分公司", "有限责任公司"]))
def test_a_legal_form_always_stays_in_the_key(name: str, form: str) -> None:
    assert names.matching_key(name + form).endswith(form)


@given(st.lists(st.integers()), st.lists(st.integers()))
def test_folding_in_two_parts_is_folding_at_once(first: list[int], second: list[int]) -> None:
    def evolve(state: tuple[int, ...], event: int) -> tuple[int, ...]:
        return (*state, event)

    middle = deciding.fold(evolve, (), first)
    assert deciding.fold(evolve, middle, second) == deciding.fold(evolve, (), [*first, *second])
