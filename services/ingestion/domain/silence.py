"""Silence of a feed (断报): what is usual of it or expected, and how much of that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from statistics import median
from typing import NamedTuple

from services.ingestion.domain.feed import Counts
from services.ingestion.domain.punctuality import EPOCH, Day
from services.kernel import working_days
from services.kernel.working_days import Calendar, CalendarEnded

LOOK_BACK = 20  # working days from which the usual is taken
AT_LEAST = 5  # working days without which nothing is usual yet
MISSING = 5.0  # records: fewer may be missing by chance (were they independent: once in 150 times)


class Expected(NamedTuple):
    """What an operator has said of a feed: so many records in so many working days, from a day on."""

    records: int
    days: int
    since: Day


class Pulse(NamedTuple):
    """Whether a feed still beats; None: not known (nothing usual yet, or the calendar has ended)."""

    usual: float | None  # records a working day
    quiet: int | None  # whole working days without any
    missing: float | None

    @property
    def silent(self) -> bool:
        """So many records are missing that it is no chance."""
        return self.missing is not None and self.missing >= MISSING


def pulse(days: Mapping[Day, Counts], expected: Expected | None, today: Day, calendar: Calendar | None = None) -> Pulse:
    """Today is not over, so it is not held against the feed, but a record of today ends its silence."""
    table = calendar or working_days.table()
    sent = sorted(day for day, counts in days.items() if counts.submitted)
    try:
        usual = expected.records / expected.days if expected else _usual(days, sent, table)
        begun = max(sent, default=expected.since if expected else today)
        quiet = max(0, table.between(_date(begun), _date(today) - timedelta(1)))
    except CalendarEnded:
        return Pulse(None, None, None)
    return Pulse(usual, quiet, None if usual is None else usual * quiet)


def _usual(days: Mapping[Day, Counts], sent: Sequence[Day], table: Calendar) -> float | None:
    """The median of its last working days, up to the last on which it sent: silence does not make itself usual."""
    if not sent:
        return None
    first, last = _date(sent[0]), _date(sent[-1])
    every = [last - timedelta(n) for n in range(min((last - first).days, 3 * LOOK_BACK) + 1)]
    worked = [day for day in every if table.is_working_day(day)][:LOOK_BACK]
    if len(worked) < AT_LEAST:
        return None
    counts = (days.get(day.toordinal() - EPOCH) for day in worked)
    return float(median(found.submitted if found else 0 for found in counts))


def _date(day: Day) -> date:
    return date.fromordinal(day + EPOCH)
