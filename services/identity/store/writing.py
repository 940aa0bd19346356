"""Rows written by one statement, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.identity.domain.events import Event

Told = Sequence[tuple[bytes, Event]]
Row = tuple[Any, ...]


async def write(tx: Transaction, statement: str, rows: Iterable[Row]) -> None:
    """Sorted by id, so that two batches write in the same order."""
    if ordered := sorted(rows, key=lambda row: row[0]):
        await tx.execute(statement, *columns(ordered))


def time_of(at_ms: int) -> datetime:
    """A moment in milliseconds since 1970 as the database keeps it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
