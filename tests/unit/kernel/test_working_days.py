"""Working days: known terms, the end of the table, and the whole table against two other sources."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest

from services.kernel import working_days
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
    assert differing == {date(2005, 12, 31)}  # the one day on which the two sources differ


def test_the_table_is_what_its_seeding_program_writes() -> None:
    """So that nobody edits a day by hand without saying where it comes from."""
    with seed_working_days.TABLE.open(encoding="utf-8") as file:
        written = [tuple(row) for row in csv.reader(file)][1:]
    seeded = list(seed_working_days.rows())
    assert [row[:2] for row in written] == [row[:2] for row in seeded]
    assert all(source for _, _, source in written)


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
