"""The fake's side of the contract: a store in memory, on virtual time."""

from __future__ import annotations

import asyncio
import contextvars
import random
from typing import Any

from tests.contract.sim.store.case import Case
from tests.sim.store import REGISTERED as REGISTERED
from tests.sim.store.connection import Pool
from tests.sim.store.engine import Database
from tests.sim.troubles import Troubles
from tests.sim.virtual import VirtualLoop


class FakeStore:
    """An empty store; `hasty` is the same pool, since its clock does not make anybody wait."""

    def __init__(self, service: str, loop: VirtualLoop) -> None:
        self._database = Database(service, loop)
        self.pool: Any = Pool(self._database, Troubles(random.Random(service), contextvars.copy_context()))
        self.hasty = self.pool

    async def rows(self, table: str, names: str) -> list[tuple[Any, ...]]:
        """As `Store` has it."""
        rows = self._database.tables[table].values()
        return sorted((tuple(row.pick(*names.split())) for row in rows), key=repr)

    async def waits(self) -> None:
        """As `Store` has it."""
        waiters = self._database.waiters
        while not any(not future.done() for futures in waiters.values() for future in futures):  # noqa: ASYNC110
            await asyncio.sleep(0.0001)


def run(case: Case) -> None:
    """One case from beginning to end; a case that waits for what nobody does ends with `Stuck`."""
    loop = VirtualLoop()
    try:
        loop.run(_check(case, FakeStore(case.service, loop)))
    finally:
        loop.close()


async def _check(case: Case, store: FakeStore) -> None:
    await case.check(store)
