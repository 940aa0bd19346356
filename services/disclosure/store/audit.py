"""Appends to the audit chain of this process: one writer, what waits is written together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from services.chassis import postgres
from services.chassis.bulk import columns
from services.chassis.errors import Transient
from services.disclosure.domain.audit import AuditRow, Head, Looked, link

LAST = "SELECT seq, hash FROM audit WHERE chain = $1 ORDER BY seq DESC LIMIT 1"
APPEND = """
INSERT INTO audit (chain, seq, prev_hash, hash, at_ms, caller, channel, purpose, method, subject_id, outcome)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[], $6::text[], $7::text[],
    $8::text[], $9::text[], $10::bytea[], $11::text[])
"""


class AuditLog:
    """`append` returns when the rows are durable, and raises `Transient` when they may not be: then do not answer."""

    def __init__(self, pool: asyncpg.Pool[Any], chain: str) -> None:
        self._pool = pool
        self._chain = chain
        self._head: Head | None = None  # None: read it from the store
        self._waiting: list[tuple[Sequence[Looked], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def append(self, looks: Sequence[Looked]) -> None:
        """Wait until these rows are in the store."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((looks, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting(), name="audit")
        await done

    async def _write_waiting(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            written = False
            try:
                # The commit may have happened, or another process writes under our name: then the store is asked.
                with suppress(Transient, asyncpg.UniqueViolationError):
                    await self._write([looked for looks, _ in group for looked in looks])
                    written = True
            finally:
                self._head = self._head if written else None
                for _, done in group:
                    _settle(done, written)

    async def _write(self, looks: Sequence[Looked]) -> None:
        async with postgres.transaction(self._pool) as tx:
            head = self._head or await self._last(tx)
            rows = link(self._chain, head, looks)
            await tx.execute(APPEND, *columns(map(_columns, rows)))
        self._head = Head(rows[-1].seq, rows[-1].hash)

    async def _last(self, tx: Any) -> Head:
        row = await tx.fetchrow(LAST, self._chain)
        return Head(row["seq"], row["hash"]) if row else Head()


def _columns(row: AuditRow) -> tuple[Any, ...]:
    return (*row[:4], *row.looked)


def _settle(done: asyncio.Future[None], written: bool) -> None:
    if done.done():
        return  # the caller has gone away
    if written:
        done.set_result(None)
    else:
        done.set_exception(Transient("database", "audit"))
