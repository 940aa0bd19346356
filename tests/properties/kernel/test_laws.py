"""Laws of the identifiers and of money."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.kernel import document_number, money, names, resident_id, uscc, working_days

bodies = st.text(uscc.ALPHABET, min_size=17, max_size=17).filter(lambda b: b != "0" * 17)
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
