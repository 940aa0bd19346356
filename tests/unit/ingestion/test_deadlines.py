"""When a report was due: calendar days as written, working days by the table, no guess beyond it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.ingestion.domain.deadlines import days_left, due_on
from tests.unit.ingestion import samples

EPOCH = date(1970, 1, 1)


def due(item: str, decided_on: date) -> tuple[date | None, list[str]]:
    day, notes = due_on(samples.ITEMS[item], (decided_on - EPOCH).days)
    return (None if day is None else date.fromordinal(day + EPOCH.toordinal())), [note.code for note in notes]


@pytest.mark.parametrize(
    ("item", "decided_on", "expected"),
    [
        ("org-penalty", date(2017, 1, 25), (date(2017, 2, 9), [])),
        ("org-penalty", date(2017, 9, 28), (date(2017, 10, 13), [])),
        ("org-penalty", date(1999, 1, 1), (None, ["DUE_ON_UNKNOWN"])),
        ("org-permit", date(2026, 12, 30), (None, ["DUE_ON_UNKNOWN"])),
        ("enterprise-registration", date(1978, 5, 1), (date(1978, 5, 3), [])),
        ("credit-commitment", date(2017, 9, 28), (date(2017, 10, 1), [])),
    ],
)
def test_due_on(item: str, decided_on: date, expected: Any) -> None:
    assert due(item, decided_on) == expected


def test_a_record_without_a_calendar_is_accepted_with_a_note() -> None:
    early = date(1999, 1, 4)
    given = samples.read(samples.record(decided_on=early, payload_changes={"CF_JDRQ": early}))
    assert (given.faults, given.due_on) == ((), None)
    assert [note.code for note in given.notes] == ["DUE_ON_UNKNOWN"]


def test_the_calendar_says_how_long_it_lasts() -> None:
    assert days_left((date(2026, 12, 1) - EPOCH).days) == 30
