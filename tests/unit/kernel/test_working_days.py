"""Working days: known terms, the end of the table, and the whole table against two other sources."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import holidays
import pytest

from services.kernel import working_days
from services.kernel.working_days import Change
from tests.unit.kernel import seed_working_days


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


def test_the_whole_table_agrees_with_two_other_sources_but_for_one_day() -> None:
    """2005-12-31: the notice for 2006 (国办发明电〔2005〕35号) has it worked, and so has the second package."""
    other = holidays.country_holidays("CN", years=range(2004, 2027))
    every = [working_days.FIRST + timedelta(n) for n in range((working_days.LAST - working_days.FIRST).days + 1)]
    ours = [(day, working_days.is_working_day(day)) for day in every]
    assert [day for day, works in ours if works != chinese_calendar.is_workday(day)] == [date(2005, 12, 31)]
    assert [day for day, works in ours if works != other.is_working_day(day)] == []
    assert working_days.is_working_day(date(2005, 12, 31))


def test_the_table_is_what_its_seeding_program_writes() -> None:
    """So that nobody edits a day by hand without saying where it comes from."""
    with seed_working_days.TABLE.open(encoding="utf-8") as file:
        written = [tuple(row) for row in csv.reader(file)]
    seeded = list(seed_working_days.rows())
    assert written[0] == seed_working_days.HEAD
    assert [row[:3] for row in written[1:]] == [row[:3] for row in seeded]
    assert all(occasion and source for _, _, occasion, source in written[1:])


def test_every_year_of_the_table_has_its_notice_and_says_how_far_it_was_read() -> None:
    notices = working_days.notices()
    assert {n.year for n in notices} == set(range(working_days.FIRST.year, working_days.LAST.year + 1))
    assert {n.verification for n in notices} <= {"official", "text_copy", "unverified"}
    assert [n.document for n in notices if n.year == 2020] == ["国办发明电〔2019〕16号", "国办发明电〔2020〕1号"]


SHEET = Path(__file__).with_name("deadlines_200.csv")
ROWS = list(csv.DictReader(SHEET.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['start']}+{row['days']} {row['unit']}")
def test_the_answer_sheet(row: dict[str, str]) -> None:
    """Worked out by hand from the notices, in each row's remark; not from this table and not from a package."""
    start, days, expected = date.fromisoformat(row["start"]), int(row["days"]), date.fromisoformat(row["expected"])
    found = start + timedelta(days) if row["unit"] == "calendar" else working_days.add_working_days(start, days)
    assert found == expected, row["remark"]


def test_the_answer_sheet_counts_to_its_answers() -> None:
    """A row's remark numbers its days 1, 2, 3 … up to the last, which is the answer."""
    assert len(ROWS) == 200
    for row in ROWS:
        counted = re.findall(r"(\d\d-\d\d)(?: (?:Sat|Sun) worked)? (\d)(?=;|:|$| \()", row["remark"])
        assert [int(number) for _, number in counted] == list(range(1, int(row["days"]) + 1)), row
        assert counted[-1][0] == row["expected"][5:], row


def test_an_amendment_moves_what_is_open_and_nothing_before_it() -> None:
    """Spring Festival 2020 as first ordered (to 01-30, 02-01 worked), and as prolonged on 2020-01-26."""
    prolonged = working_days.table()
    free = {date(2020, 1, 31): Change(False, "Spring Festival")}
    first = prolonged.amended({date(2020, 2, 1): Change(True, "Spring Festival")}, back=free)
    assert (first.add(date(2020, 1, 23), 1), first.add(date(2020, 1, 22), 7)) == (date(2020, 1, 31), date(2020, 2, 6))
    amended = first.amended(free, back=[date(2020, 2, 1)])
    for start, days in ((date(2020, 1, 23), 1), (date(2020, 1, 22), 7)):
        assert amended.add(start, days) == prolonged.add(start, days) > first.add(start, days)
    assert amended.add(date(2020, 1, 17), 4) == first.add(date(2020, 1, 17), 4) == date(2020, 1, 22)


def test_the_way_to_a_deadline_says_why_a_day_is_skipped() -> None:
    way = working_days.table().way(date(2017, 9, 28), 3)
    assert [(f"{step.day:%m-%d}", step.number) for step in way if step.number] == [
        ("09-29", 1),
        ("09-30", 2),
        ("10-09", 3),
    ]
    why = {step.day.day: step.why for step in way}
    assert why[30] == "Saturday, worked in lieu (National Day)"
    assert why[2] == "Monday, holiday (National Day)"
    assert why[8] == "Sunday"


def test_no_year_of_the_table_is_empty() -> None:
    with seed_working_days.TABLE.open(encoding="utf-8") as file:
        years = {int(row["date"][:4]) for row in csv.DictReader(file)}
    assert years == set(range(working_days.FIRST.year, working_days.LAST.year + 1))


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2017, ["01-22", "02-04", "04-01", "05-27", "09-30"]),
        (2026, ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]),
    ],
)
def test_the_worked_weekends_of_a_year(year: int, days: list[str]) -> None:
    every = (date(year, 1, 1) + timedelta(n) for n in range(365))
    worked = [day for day in every if day.weekday() > 4 and working_days.is_working_day(day)]
    assert [f"{day:%m-%d}" for day in worked] == days


def test_the_start_is_not_counted_and_the_end_is() -> None:
    assert working_days.working_days_between(date(2017, 9, 28), date(2017, 10, 13)) == 7
    with pytest.raises(ValueError, match="forward"):
        working_days.add_working_days(date(2017, 9, 28), -1)
