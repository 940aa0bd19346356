"""The day a report was due: the item's deadline counted from the decision, in the unit the source names."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from services.ingestion.domain.definition import Item
from services.ingestion.domain.faults import Fault, fault
from services.kernel import working_days

EPOCH = date(1970, 1, 1).toordinal()


def due_on(item: Item, decided_on: int) -> tuple[int | None, tuple[Fault, ...]]:
    """The day (since 1970), or None and a note where the calendar has no such year: nothing is guessed.

    Calendar days are counted as the notice writes them (日): whether one that ends on a holiday moves is not settled.
    """
    day = _due(item.deadline_unit, item.deadline_days, decided_on)
    return (day, ()) if day is not None else (None, (fault("DUE_ON_UNKNOWN", "decided_on"),))


@lru_cache(maxsize=4096)
def _due(unit: str, days: int, decided_on: int) -> int | None:
    if unit == "calendar":
        return decided_on + days
    try:
        end = working_days.add_working_days(date.fromordinal(decided_on + EPOCH), days)
    except working_days.CalendarEnded:
        return None
    return end.toordinal() - EPOCH


def days_left(today: int) -> int:
    """How many days the calendar still covers."""
    return working_days.LAST.toordinal() - EPOCH - today
