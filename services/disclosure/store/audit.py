"""Appends to the audit chain of this process: one writer, what waits is written together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from services.chassis.bulk import columns
from services.chassis.coalescing import Coalescer
from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.disclosure.domain.audit import AuditRow, Head, Looked, link

GROUP = 2000  # rows in one statement, when so many wait
LAST = "SELECT seq, hash FROM audit WHERE chain = $1 ORDER BY seq DESC LIMIT 1"
APPEND = """
INSERT INTO audit (chain, seq, prev_hash, hash, at_ms, caller, channel, purpose, method, subject_id, outcome)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::bytea[], $11::text[])
"""


class AuditLog:
    """`append` returns when the rows are durable, and raises `Transient` when they may not be: then do not answer."""

    def __init__(self, pool: asyncpg.Pool[Any], chain: str) -> None:
        self._chain = chain
        self._head: Head | None = None  # None: read it from the store
        self._writer = Coalescer[Looked, None](pool, self._write, GROUP, "audit")

    async def append(self, looks: Sequence[Looked]) -> None:
        """Wait until these rows are in the store."""
        await self._writer.ask(looks)

    async def _write(self, tx: Transaction, looks: Sequence[Looked]) -> Sequence[None]:
        # Until it is known to be written the head is unknown: the commit may have happened all the same.
        head, self._head = self._head, None
        rows = link(self._chain, head or await self._last(tx), looks)
        try:
            await tx.execute(APPEND, *columns(map(_columns, rows)))
        except asyncpg.UniqueViolationError as error:
            raise Transient("database", "another process writes this chain") from error
        self._head = Head(rows[-1].seq, rows[-1].hash)
        return [None] * len(looks)

    async def _last(self, tx: Transaction) -> Head:
        row = await tx.fetchrow(LAST, self._chain)
        return Head(row["seq"], row["hash"]) if row else Head()


def _columns(row: AuditRow) -> tuple[Any, ...]:
    return (*row[:4], *row.looked)
