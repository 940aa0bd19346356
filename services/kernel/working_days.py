"""工作日, working days of the mainland: the State Council's yearly notices, with make-up days (调休).

`working_days.csv` lists what differs from Monday to Friday, and where it was read. Beyond its last year nothing is
computed: the notice for a year appears in the autumn before, and a guess would be a wrong legal deadline.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import accumulate


@cache
def _changed() -> dict[date, bool]:
    """The days of the notices: True where a Saturday or Sunday is worked, False where another day is free."""
    with files("services.kernel").joinpath("working_days.csv").open(encoding="utf-8") as rows:
        return {date.fromisoformat(row["date"]): row["kind"] == "working_weekend" for row in csv.DictReader(rows)}


FIRST = date(min(_changed()).year, 1, 1)
LAST = date(max(_changed()).year, 12, 31)  # a notice covers its whole year


class CalendarEnded(ValueError):
    """The day lies outside the table of working days."""


@cache
def _days() -> tuple[date, ...]:
    """Every working day of the table, in order."""
    changed = _changed()
    everyday = (FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1))
    return tuple(day for day in everyday if changed.get(day, day.weekday() < 5))


@cache
def _rank() -> dict[date, int]:
    """How many working days lie on or before each day of the table: prefix sums."""
    working = frozenset(_days())
    every = [FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1)]
    return dict(zip(every, accumulate(day in working for day in every), strict=True))


def is_working_day(day: date) -> bool:
    """Raises `CalendarEnded` outside the table."""
    rank = _rank_of(day)
    return rank > 0 and _days()[rank - 1] == day


def add_working_days(start: date, days: int) -> date:
    """The last day of a period of `days` working days; the start day is not counted. Raises `CalendarEnded`."""
    if days < 0:
        raise ValueError("a period runs forward")
    position = _rank_of(start) + days - 1
    if position >= len(_days()):
        raise CalendarEnded(f"{days} working days after {start} lie beyond {LAST}")
    return _days()[position] if days else start


def working_days_between(start: date, end: date) -> int:
    """How many working days lie after `start`, up to and including `end`; below 0 when `end` is earlier."""
    return _rank_of(end) - _rank_of(start)


def next_working_day(day: date) -> date:
    """The day itself, or the first working day after it: a deadline on a holiday moves there."""
    return day if is_working_day(day) else add_working_days(day, 1)


def _rank_of(day: date) -> int:
    try:
        return _rank()[day]
    except KeyError:
        raise CalendarEnded(f"{day} is outside the table {FIRST} to {LAST}") from None
