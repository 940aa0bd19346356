"""The database may go away while the gateway holds its lock: then it waits, as everybody does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from services.chassis.errors import Transient
from services.national_sync.ledger import StoredLedger


class Gone:
    """A connection that the server ended after it was handed out: the pool has taken it back already."""

    async def fetchval(self, query: str, *arguments: object) -> bool:
        return True

    def is_closed(self) -> bool:
        raise asyncpg.InterfaceError(
            "cannot call Connection.is_closed(): connection has been released back to the pool"
        )


class Pool:
    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncGenerator[Gone]:
        yield Gone()


async def test_a_connection_that_ends_under_the_lock_is_waited_for() -> None:
    pool: Any = Pool()
    with pytest.raises(Transient):
        async with StoredLedger(pool).turn() as mine:
            assert mine
