"""Identifiers, money, names and days against vectors that were computed elsewhere."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest

from services.kernel import (
    document_number,
    money,
    names,
    organisation_code,
    regions,
    registration_number,
    resident_id,
    uscc,
    working_days,
)

USCC = [
    "91420100MA4KLM0N5H",
    "93420111MA4XYK1279",
    "92420106MA4ABCD17H",
    "11420000011043217X",
    "1242000042000012XY",
    "51420000500112340H",
    "52420100MJ1234561M",
    "N2420111MF1234567E",
]


@pytest.mark.parametrize("code", USCC)
def test_a_right_code_has_neither_fault_nor_note(code: str) -> None:
    assert uscc.check(code) == uscc.Checked(code, "", ())


@pytest.mark.parametrize(
    ("text", "fault", "notes"),
    [
        ("91420100ma4klm0n5h", "", ("REPAIRED",)),
        ("９１420100MA4KLM0N5H", "", ("REPAIRED",)),
        (" 91420100MA4KLM0N5H", "", ("REPAIRED",)),
        ("91420100MA4KLM0N5J", "CHECK_DIGIT", ()),
        ("91420100MA4KLM0N5", "LENGTH", ()),
        ("91420100MA4KLM0I5H", "ALPHABET", ()),
        ("00000000000000000X", "PLACEHOLDER", ()),
        ("00000000000000000x", "PLACEHOLDER", ("REPAIRED",)),
        (uscc.complete("99420100MA4KLM0N5"), "", ("UNKNOWN_CATEGORY",)),
        (uscc.complete("91420100MA4KLM0N6"), "", ("ORG_CODE_DIGIT",)),
    ],
)
def test_what_is_repaired_what_is_noted_what_is_refused(text: str, fault: str, notes: tuple[str, ...]) -> None:
    found = uscc.check(text)
    assert (found.fault, found.notes) == (fault, notes)


@pytest.mark.parametrize("code", ["MA4KLM0N5", "011043217", "42000012X", "500112340"])
def test_a_right_organisation_code(code: str) -> None:
    assert organisation_code.is_valid(code)
    assert organisation_code.normalise(f"{code[:8].lower()}-{code[8]}") == code


@pytest.mark.parametrize("code", ["MA4KLM0N6", "PDY00001X", "01104321", ""])
def test_a_wrong_organisation_code(code: str) -> None:
    assert not organisation_code.is_valid(code)


def test_letters_of_an_organisation_code_count_as_in_base_36() -> None:
    """By the 31-letter table of the USCC, J would be 18 and this code wrong."""
    assert organisation_code.check_character("MJ123456") == "1"


@pytest.mark.parametrize("number", ["420100000000014", "420000000012349", "420106600123454", "4201001234567"])
def test_a_right_registration_number(number: str) -> None:
    assert registration_number.is_valid(number)


@pytest.mark.parametrize("number", ["420100000000015", "", "91420100MA4KLM0N5H"])
def test_a_wrong_registration_number(number: str) -> None:
    assert not registration_number.is_valid(number)


@pytest.mark.parametrize(
    "number",
    ["420106190003070015", "420101190112311007", "810000190001010018", "83000019000101002X", "440524188001010014"],
)
def test_a_right_resident_id(number: str) -> None:
    assert resident_id.is_valid(number)


@pytest.mark.parametrize("number", ["420106190302290018", "420106190003070016", "42010619000307001", ""])
def test_a_wrong_resident_id(number: str) -> None:
    assert not resident_id.is_valid(number)


def test_a_short_resident_id_is_extended() -> None:
    assert resident_id.normalise("420106050307001") == "420106190503070011"
    assert resident_id.normalise("42010605030799６")[6:8] == "18"  # a centenarian's sequence number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2,000(万元)", money.Capital(2_000_000_000, "CNY")),
        ("50万元人民币", money.Capital(50_000_000, "CNY")),
        ("50（万美元）", money.Capital(50_000_000, "USD")),
        ("0.2(万)", money.Capital(200_000, "")),
        ("3,0000000(万)", None),
        ("N/A", None),
        ("万元", None),
        ("50(元)", None),
    ],
)
def test_registered_capital(text: str, expected: money.Capital | None) -> None:
    assert money.capital(text) == expected


def test_ten_thousands_and_single_yuan_are_both_whole_fen() -> None:
    assert money.fen_of_wan("0.2") == money.fen_of_yuan("2000") == 200_000
    assert money.wan_of_fen(200_000) == "0.2"
    for wrong in ("", "1e3", "-1", "0.0000001", "一"):
        with pytest.raises(ValueError, match=r"amount|分"):
            money.fen_of_wan(wrong)


def test_one_name_written_two_ways_has_one_key_and_the_legal_form_stays() -> None:
    assert names.matching_key("演示（湖北）有限公司") == names.matching_key("演示(湖北) 有限公司")
    assert names.matching_key("演示有限公司") != names.matching_key("演示股份有限公司")
    assert names.masked("演甲乙") == "演*"


@pytest.mark.parametrize(
    "text", ["鄂环罚〔2017〕12号", "鄂环罚[2017] 12号", "鄂环罚（2017）12号", "鄂环罚【２０１７】12号"]
)
def test_one_document_number_written_many_ways(text: str) -> None:
    assert document_number.normalise(text) == "鄂环罚〔2017〕12号"


@pytest.mark.parametrize(
    ("code", "year", "name"),
    [("420821", 2017, "京山县"), ("420821", 2019, None), ("420882", 2019, "京山市"), ("420304", 2016, "郧阳区")],
)
def test_a_region_is_in_force_in_its_years_only(code: str, year: int, name: str | None) -> None:
    region = regions.in_force(code, year)
    assert (region and region.name) == name
    assert regions.known(code)


def test_unknown_regions_are_told_from_those_of_other_provinces() -> None:
    assert not regions.known("429999")
    assert regions.known("220721")


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [("2017-01-25", 7, "2017-02-09"), ("2017-09-28", 7, "2017-10-13"), ("2017-09-28", 0, "2017-09-28")],
)
def test_working_days_across_a_holiday(start: str, days: int, end: str) -> None:
    assert working_days.add_working_days(date.fromisoformat(start), days) == date.fromisoformat(end)


def test_beyond_the_table_nothing_is_guessed() -> None:
    assert working_days.add_working_days(date(2026, 12, 30), 1) == date(2026, 12, 31)
    for start, days in ((date(2026, 12, 31), 1), (date(2027, 1, 4), 0), (date(2003, 12, 31), 1)):
        with pytest.raises(working_days.CalendarEnded):
            working_days.add_working_days(start, days)


def test_a_deadline_on_a_holiday_moves_to_the_next_working_day() -> None:
    assert working_days.next_working_day(date(2017, 10, 1)) == date(2017, 10, 9)
    assert working_days.next_working_day(date(2017, 9, 30)) == date(2017, 9, 30)  # a worked Saturday


def test_the_whole_table_agrees_with_two_other_sources() -> None:
    other = holidays.country_holidays("CN", years=range(2004, 2027))
    differing: set[date] = set()
    day = working_days.FIRST
    while day <= working_days.LAST:
        ours = working_days.is_working_day(day)
        assert ours == chinese_calendar.is_workday(day), day
        if ours != other.is_working_day(day):
            differing.add(day)
        day += timedelta(1)
    assert differing <= {date(2005, 12, 31)}  # the one day on which the two sources differ
