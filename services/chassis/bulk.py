"""New rows, many at once: COPY from 50 rows on, below one INSERT, which starts sooner (performance.md §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from services.chassis.errors import Transient
from services.chassis.handling import Transaction

COPY_FROM = 50


def columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Rows as the column arrays that `unnest` takes; there must be a row."""
    return [list(column) for column in zip(*rows, strict=True)]


class Rows:
    """Rows of one table that nobody has yet: `types` gives the columns in order, with their PostgreSQL types."""

    def __init__(self, table: str, types: Mapping[str, str]) -> None:
        self._table = table
        self._columns = tuple(types)
        arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types.values(), 1))
        self.statement = f"INSERT INTO {table} ({', '.join(types)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - constants of the store

    async def insert(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> None:
        """Write them, sorted by key for the index' sake; raises `Transient` if another lane wrote one meanwhile."""
        try:
            if len(rows) >= COPY_FROM:
                await tx.copy_records_to_table(self._table, records=rows, columns=self._columns)
            elif rows:
                await tx.execute(self.statement, *columns(rows))
        except asyncpg.UniqueViolationError as error:
            # The state it was decided on is stale: read it again and decide anew.
            raise Transient("database", "a row appeared meanwhile") from error
