"""Wraps persons' keys anew after a rotation, while they go on being made, asked for and destroyed.

A background task and not the lane's work: it changes how rows are sealed and nothing that they say, it must not be
replayed, and a million rows are no turn. It can be killed anywhere: what is left is found again by its old key.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from services.chassis import logs, postgres
from services.chassis.cipher import SUITES
from services.chassis.errors import Transient
from services.identity import metrics
from services.identity.keys import store
from services.identity.keys.kms import Kms

EVERY_S = 5.0
BATCH = 500  # rows in one transaction: a few milliseconds' locks


class Rewrapper:
    """Looks every five seconds whether the mark has moved; reads the key file again too, so what was taken out of it
    is not kept in memory, and a file that was opened to others ends the process.
    """

    def __init__(self, pool: asyncpg.Pool[Any], kms: Any) -> None:
        self._pool, self._kms = pool, kms
        self._guard = store.guard(kms)
        self._done_for = ""

    async def run(self) -> None:
        """For the service's background; raises `KekChanged`, ValueError and OSError, which end the process."""
        while True:
            self._kms.refresh()
            try:
                await self.catch_up()
            except Transient as trouble:
                logs.log("rewrapping_waits", what=str(trouble.args[:1]))
            await asyncio.sleep(EVERY_S)

    async def catch_up(self) -> int:
        """Bring every row under the key that stands; returns how many were not. Raises `Transient`, `KekChanged`."""
        done = 0
        while True:
            async with postgres.transaction(self._pool) as tx:
                mark = await self._guard(tx)
                if mark == self._done_for:
                    return done
                rows = await tx.fetch(store.LEFT, mark, BATCH)
                if rows:
                    await self._rewrap(tx, rows, mark)
            if not rows:
                self._done_for = mark
                return done
            done += len(rows)

    async def _rewrap(self, tx: Any, rows: list[Any], mark: str) -> None:
        ordered = sorted(rows, key=lambda row: row["subject_id"])
        anew = [_anew(self._kms, row, mark) for row in ordered]
        ids, were = [row["subject_id"] for row in ordered], [row["wrapped"] for row in ordered]
        await tx.execute(store.REWRAP, ids, were, anew, mark)
        metrics.KEYS_REWRAPPED.inc(len(ordered))


def _anew(kms: Kms, row: Any, mark: str) -> bytes:
    """The suite of a key follows from its making; only what it is sealed under changes."""
    key = kms.unwrap(row["kek_id"], row["subject_id"], row["wrapped"])
    return kms.wrap(mark, SUITES[row["wrapped"][0]], row["subject_id"], key)
