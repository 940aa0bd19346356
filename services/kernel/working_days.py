"""工作日, working days of the mainland: the State Council's yearly notices, with make-up days (调休).

`working_days.csv` lists what differs from Monday to Friday, `working_days_notices.csv` the notice of each year and how
far its text was read. Beyond the last year nothing is computed: the notice for a year appears in the autumn before, and
a guess would be a wrong legal deadline.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import NamedTuple

ONE = timedelta(1)


class CalendarEnded(ValueError):
    """The day lies outside the table of working days."""


class Change(NamedTuple):
    """A day that a notice has made other than its weekday says, and for which feast."""

    worked: bool
    occasion: str


class Step(NamedTuple):
    """A day on the way to a deadline: the how-manieth of the term it is (0: skipped), and why."""

    day: date
    number: int
    why: str


class Notice(NamedTuple):
    """The notice a year's days come from, or one that amends it; `verification` as in the rule packs."""

    year: int
    document: str
    dated: str
    verification: str
    remark: str


class Calendar:
    """A table of working days: whole years, from the first that is named to the last."""

    def __init__(self, changes: Mapping[date, Change]) -> None:
        self.changes = dict(changes)
        self.first = date(min(changes).year, 1, 1)
        self.last = date(max(changes).year, 12, 31)  # a notice covers its whole year
        every = [self.first + ONE * n for n in range((self.last - self.first).days + 1)]
        worked = [changes[day].worked if day in changes else day.weekday() < 5 for day in every]
        self._days = tuple(day for day, works in zip(every, worked, strict=True) if works)
        self._rank = dict(zip(every, accumulate(worked), strict=True))  # working days on or before each day

    def amended(self, changes: Mapping[date, Change], back: Iterable[date] = ()) -> Calendar:
        """The table after an amending notice; days given `back` are again what their weekday says."""
        gone = frozenset(back)
        return Calendar({day: change for day, change in self.changes.items() if day not in gone} | dict(changes))

    def is_working_day(self, day: date) -> bool:
        """Raises `CalendarEnded` outside the table."""
        rank = self._rank_of(day)
        return rank > 0 and self._days[rank - 1] == day

    def add(self, start: date, days: int) -> date:
        """The last day of a term of `days` working days; the start is not counted. Raises `CalendarEnded`."""
        if days < 0:
            raise ValueError("a period runs forward")
        position = self._rank_of(start) + days - 1
        if position >= len(self._days):
            raise CalendarEnded(f"{days} working days after {start} lie beyond {self.last}")
        return self._days[position] if days else start

    def between(self, start: date, end: date) -> int:
        """How many working days lie after `start`, up to and including `end`; below 0 when `end` is earlier."""
        return self._rank_of(end) - self._rank_of(start)

    def way(self, start: date, days: int) -> tuple[Step, ...]:
        """Every day from the one after `start` to the end of the term. Raises `CalendarEnded`."""
        end, begin = self.add(start, days), self._rank_of(start)
        every = (start + ONE * n for n in range(1, (end - start).days + 1))
        return tuple(self._step(day, self._rank_of(day) - begin) for day in every)

    def _step(self, day: date, number: int) -> Step:
        change, weekday = self.changes.get(day), f"{day:%A}"
        if change is None:
            return Step(day, number if day.weekday() < 5 else 0, weekday)
        return Step(
            day,
            number if change.worked else 0,
            f"{weekday}, {'worked in lieu' if change.worked else 'holiday'} ({change.occasion})",
        )

    def _rank_of(self, day: date) -> int:
        try:
            return self._rank[day]
        except KeyError:
            raise CalendarEnded(f"{day} is outside the table {self.first} to {self.last}") from None


def _rows(name: str) -> list[dict[str, str]]:
    with files("services.kernel").joinpath(name).open(encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


@cache
def table() -> Calendar:
    """The calendar of this release."""
    rows = _rows("working_days.csv")
    return Calendar(
        {date.fromisoformat(r["date"]): Change(r["kind"] == "working_weekend", r["occasion"]) for r in rows}
    )


@cache
def notices() -> tuple[Notice, ...]:
    """Where the table comes from, year by year."""
    return tuple(Notice(int(r["year"]), *list(r.values())[1:]) for r in _rows("working_days_notices.csv"))


FIRST, LAST = table().first, table().last


def is_working_day(day: date) -> bool:
    """Raises `CalendarEnded` outside the table."""
    return table().is_working_day(day)


def add_working_days(start: date, days: int) -> date:
    """The last day of a period of `days` working days; the start day is not counted. Raises `CalendarEnded`."""
    return table().add(start, days)


def working_days_between(start: date, end: date) -> int:
    """How many working days lie after `start`, up to and including `end`; below 0 when `end` is earlier."""
    return table().between(start, end)


def next_working_day(day: date) -> date:
    """The day itself, or the first working day after it: a deadline on a holiday moves there."""
    return day if is_working_day(day) else add_working_days(day, 1)
