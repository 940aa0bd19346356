"""工作日, working days of the mainland: the State Council's yearly notices, with make-up days (调休).

`working_days.csv` lists what differs from Monday to Friday, 2004 to 2026. Beyond its last day nothing is computed:
the notice for a year appears in the autumn before, and a guess would be a wrong legal deadline.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise

FIRST = date(2004, 1, 1)
LAST = date(2026, 12, 31)


class CalendarEnded(ValueError):
    """The day lies outside the table of working days."""


@cache
def _days() -> tuple[date, ...]:
    """Every working day of the table, in order."""
    with files("services.kernel").joinpath("working_days.csv").open(encoding="utf-8") as rows:
        changed = {date.fromisoformat(row["day"]): row["kind"] == "working_weekend" for row in csv.DictReader(rows)}
    everyday = (FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1))
    return tuple(day for day in everyday if changed.get(day, day.weekday() < 5))


@cache
def _rank() -> dict[date, int]:
    """How many working days lie on or before each day of the table."""
    ranks: dict[date, int] = {}
    days = _days()
    for n, (day, following) in enumerate(pairwise((*days, LAST + timedelta(1))), 1):
        for offset in range((following - day).days):
            ranks[day + timedelta(offset)] = n
    for offset in range((days[0] - FIRST).days):
        ranks[FIRST + timedelta(offset)] = 0
    return ranks


def is_working_day(day: date) -> bool:
    """Raises `CalendarEnded` outside the table."""
    rank = _rank_of(day)
    return rank > 0 and _days()[rank - 1] == day


def add_working_days(start: date, days: int) -> date:
    """The last day of a period of `days` ≥ 0 working days; the start day is not counted. Raises `CalendarEnded`."""
    position = _rank_of(start) + days - 1
    if position >= len(_days()):
        raise CalendarEnded(f"{days} working days after {start} lie beyond {LAST}")
    return _days()[position] if days else start


def next_working_day(day: date) -> date:
    """The day itself, or the first working day after it: a deadline on a holiday moves there."""
    return day if is_working_day(day) else add_working_days(day, 1)


def _rank_of(day: date) -> int:
    try:
        return _rank()[day]
    except KeyError:
        raise CalendarEnded(f"{day} is outside the table {FIRST} to {LAST}") from None
