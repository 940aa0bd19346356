"""What the gateway sees of the service's own database, and which process of several may push."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from services.chassis import postgres
from services.national_sync import queries
from services.national_sync.queries import Looked, PushId, Telling

ONLY_ONE = 20170902  # of several worker processes one pushes; should two ever do, the idempotency key makes it harmless


class Ledger(Protocol):
    """What the gateway may read."""

    def turn(self) -> AbstractAsyncContextManager[bool]: ...
    async def look(self, told: Iterable[Telling], apart: Collection[PushId]) -> Looked: ...


class StoredLedger:
    """The ledger in the service's own database."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[bool]:
        """True while this process is the one that pushes; the lock ends with its connection."""
        with postgres.told_apart():
            async with (
                self._pool.acquire(timeout=postgres.CONNECT_S) as connection,
                postgres.answering(self._pool, connection),
            ):
                mine = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", ONLY_ONE))
                try:
                    yield mine
                finally:
                    if mine and not connection.is_closed():
                        await connection.execute("SELECT pg_advisory_unlock($1)", ONLY_ONE)

    async def look(self, told: Iterable[Telling], apart: Collection[PushId]) -> Looked:
        """What waits, what of the told the lanes have not read yet, and how old the oldest is."""
        async with postgres.transaction(self._pool) as tx:
            return await queries.look(tx, told, apart)
