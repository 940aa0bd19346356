"""Until when what was accepted must be public, and what waits at the door must have been handled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from services.ingestion.domain.feed import UNKNOWN_ITEM, Counts, due_days
from services.ingestion.domain.punctuality import NEVER, Day, DueDays
from services.kernel import legal_terms
from services.kernel.working_days import Calendar


class Open(NamedTuple):
    """Of one day's records: by which day the first must be public, and when the last of them was answered (ms)."""

    due_on: Day
    last_at: int


def read(feeds: Mapping[tuple[str, str], Mapping[Day, Counts]], calendar: Calendar | None = None) -> dict[Day, Open]:
    """By the day of the answer. Reckoned anew each time, from the decisions: an amended calendar moves what is open."""
    found: dict[Day, Open] = {}
    for (agency, item), days in feeds.items():
        for day, counts in days.items():
            due = _public_due(agency, item, counts.earliest_decided, calendar)
            if due < NEVER:
                known = found.get(day, Open(due, counts.last_at))
                found[day] = Open(min(known.due_on, due), max(known.last_at, counts.last_at))
    return found


def _public_due(agency: str, item: str, decided_on: Day | None, calendar: Calendar | None) -> Day:
    if decided_on is None:
        return NEVER
    level = legal_terms.level_of(agency)
    if calendar is None:
        return due_days(item, level).public[decided_on]
    return DueDays(item, level, calendar).public[decided_on]


def intake_due(received_on: Day) -> Day:
    """By when the platform must have handled what came on a day; `NEVER`: the calendar has no such year."""
    return _intake(UNKNOWN_ITEM).platform[received_on]


@cache
def _intake(item: str) -> DueDays:
    return DueDays(item, "")
