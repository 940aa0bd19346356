"""Which hops of a report were late when it came, and until when it must be public: the kernel's terms, by day number.

A batch asks this of every record, so answers are kept: there are no more of them than items, levels and days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from services.ingestion.domain.submission import Submission
from services.kernel import legal_terms
from services.kernel.working_days import Calendar, CalendarEnded

EPOCH = date(1970, 1, 1).toordinal()
CHINA_MS, DAY_MS = 8 * 3_600_000, 86_400_000
Day = int  # since 1970
NEVER: Day = 10**9  # no term is in force, or the calendar has no such year: then nobody is late


class Days(dict[Day, Day]):
    """Day of the decision -> the last day of a term that runs from it; reckoned when first asked for."""

    def __init__(self, reckon: Callable[[Day], Day]) -> None:
        super().__init__()
        self._reckon = reckon

    def __missing__(self, decided_on: Day) -> Day:
        day = self[decided_on] = self._reckon(decided_on)
        return day


class DueDays:
    """The days by which reports of one item by agencies of one level fall due, by a calendar (default: our own)."""

    def __init__(self, item: str, level: str, calendar: Calendar | None = None) -> None:
        self._item, self._level, self._calendar = item, level, calendar
        self.unit = Days(lambda decided_on: self._due("unit", decided_on, decided_on))
        self.agency = Days(lambda decided_on: self._due("agency", decided_on, decided_on))
        self.public = Days(lambda decided_on: self._due("public", decided_on, decided_on))
        self.platform = Days(lambda received_on: self._due("platform", received_on, received_on))
        self._collected: dict[tuple[Day, Day], Day] = {}

    def unit_late(self, given: Submission) -> bool:
        """A lower unit produced it, and gave it to the agency after its days were over."""
        return given.from_unit and _day(given.produced_at) > self.unit[given.decided_on]

    def agency_late(self, given: Submission) -> bool:
        """The platform had it after the agency's days were over: from the decision, or from when it collected it."""
        received = _day(given.origin.received_at)
        if not given.from_unit:
            return received > self.agency[given.decided_on]
        key = given.decided_on, _day(given.produced_at)
        if key not in self._collected:
            self._collected[key] = self._due("agency", *key)
        return received > self._collected[key]

    def _due(self, hop: str, decided_on: Day, start: Day) -> Day:
        decided = date.fromordinal(decided_on + EPOCH)
        term = legal_terms.choose(hop, self._item, self._level, "report", decided)
        try:
            return (
                NEVER if term is None else term.due(date.fromordinal(start + EPOCH), self._calendar).toordinal() - EPOCH
            )
        except CalendarEnded:
            return NEVER


def _day(at_ms: int) -> Day:
    return (at_ms + CHINA_MS) // DAY_MS
