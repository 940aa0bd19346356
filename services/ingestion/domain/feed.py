"""Feeds: what an agency has sent of an item, day by day; a day has a row for each lane, so that none waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from services.ingestion.domain.events import RecordAccepted, RecordEvent, SubmissionDuplicate
from services.ingestion.domain.punctuality import CHINA_MS, DAY_MS, NEVER, Day, DueDays
from services.ingestion.domain.submission import Submission
from services.kernel import legal_terms

UNKNOWN_ITEM = "unknown"  # what an agency wrote is neither a label nor a key
Shown = Callable[[str], bool]  # whether records of an item are published
Told = Sequence[tuple[RecordEvent, Submission]]


class Place(NamedTuple):
    """Whose counts: the key of a row."""

    day: Day
    agency: str
    item: str
    partition: int


class Counts(NamedTuple):
    """What a day has brought; `earliest_decided`: of those that must be public by a day that had not passed then."""

    accepted: int = 0
    duplicate: int = 0
    refused: int = 0
    late_unit: int = 0
    late_agency: int = 0
    first_at: int = 0
    last_at: int = 0
    earliest_decided: Day | None = None

    @property
    def submitted(self) -> int:
        """All that was answered."""
        return self.accepted + self.duplicate + self.refused


class Cell:
    """Counts while a batch is added up: everything here is done for each record of a batch."""

    __slots__ = ("_days", "_own", "_public", "accepted", "duplicate", "earliest", "late_agency", "late_unit", "refused")

    def __init__(self, days: DueDays, shown: bool) -> None:
        self._days, self._own, self._public = days, days.agency, days.public if shown else None
        self.accepted = self.duplicate = self.refused = self.late_unit = self.late_agency = 0
        self.earliest = NEVER

    def reported(self, given: Submission) -> None:
        """Count the hops in which an accepted report was late."""
        decided_on, origin = given.decided_on, given.origin
        if given.from_unit:
            self.late_unit += self._days.unit_late(given)
            self.late_agency += self._days.agency_late(given)
        elif (origin.received_at + CHINA_MS) // DAY_MS > self._own[decided_on]:
            self.late_agency += 1
        if decided_on < self.earliest and self._in_time(decided_on, origin.now):
            self.earliest = decided_on

    def _in_time(self, decided_on: Day, now: int) -> bool:
        return self._public is not None and (now + CHINA_MS) // DAY_MS <= self._public[decided_on] < NEVER

    def counts(self, now: int) -> Counts:
        """As a value."""
        earliest = None if self.earliest == NEVER else self.earliest
        numbers = self.accepted, self.duplicate, self.refused, self.late_unit, self.late_agency
        return Counts(*numbers, now, now, earliest)


@cache
def due_days(item: str, level: str) -> DueDays:
    """Kept for as long as the process: rules and calendar are of the release."""
    return DueDays(item, level)


def tally(told: Told, shown: Shown) -> dict[Place, Counts]:
    """The counts of a batch; all its answers are of one moment."""
    if not told:
        return {}
    cells: dict[tuple[str, str, int], Cell] = {}
    for event, given in told:
        origin = given.origin
        key = origin.agency, given.item if given.item_version else UNKNOWN_ITEM, origin.partition
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = Cell(due_days(key[1], legal_terms.level_of(key[0])), shown(key[1]))
        kind = type(event)
        if kind is RecordAccepted:
            cell.accepted += 1
            if given.action == "report":
                cell.reported(given)
        elif kind is SubmissionDuplicate:
            cell.duplicate += 1
        else:
            cell.refused += 1
    now = told[0][1].origin.now
    day = (now + CHINA_MS) // DAY_MS
    return {Place(day, *key): cell.counts(now) for key, cell in sorted(cells.items())}


def added(one: Counts, other: Counts) -> Counts:
    """Two counts as one."""
    decided = [day for day in (one.earliest_decided, other.earliest_decided) if day is not None]
    return Counts(
        one.accepted + other.accepted,
        one.duplicate + other.duplicate,
        one.refused + other.refused,
        one.late_unit + other.late_unit,
        one.late_agency + other.late_agency,
        min(one.first_at, other.first_at),
        max(one.last_at, other.last_at),
        min(decided, default=None),
    )


def summed(rows: Iterable[tuple[Place, Counts]]) -> dict[tuple[str, str], dict[Day, Counts]]:
    """Rows of all lanes as days of feeds: by (agency, item), then by day."""
    feeds: dict[tuple[str, str], dict[Day, Counts]] = {}
    for place, counts in rows:
        days = feeds.setdefault((place.agency, place.item), {})
        known = days.get(place.day)
        days[place.day] = counts if known is None else added(known, counts)
    return feeds
