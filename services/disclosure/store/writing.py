"""Rows that are written only as long as nobody else has changed them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.chassis.bulk import columns
from services.chassis.errors import Transient
from services.chassis.handling import Transaction


async def exactly(tx: Transaction, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Every row must be written; one that is not was changed by another lane since it was read."""
    if rows and await tx.execute(statement, *columns(rows)) not in (f"INSERT 0 {len(rows)}", f"UPDATE {len(rows)}"):
        raise Transient("database", "changed by another lane since it was read")
