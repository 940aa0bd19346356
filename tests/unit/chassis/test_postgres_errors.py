"""Which database errors are worth waiting for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from services.chassis import postgres
from services.chassis.errors import LaneLost, Transient

AWAY = [
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    asyncpg.AdminShutdownError(),
    asyncpg.CrashShutdownError(),
    asyncpg.CannotConnectNowError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.SerializationError(),
    asyncpg.LockNotAvailableError(),
    asyncpg.QueryCanceledError(),
    asyncpg.DiskFullError(),
    asyncpg.TooManyConnectionsError(),
    asyncpg.IdleInTransactionSessionTimeoutError(),
    asyncpg.ReadOnlySQLTransactionError(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InterfaceError("cannot call Transaction.rollback(): the underlying connection is closed"),
    ConnectionRefusedError(),
    ConnectionResetError(),
    TimeoutError(),
]
BUGS = [
    asyncpg.UniqueViolationError("duplicate"),
    asyncpg.NotNullViolationError("null"),
    asyncpg.UndefinedTableError("none"),
    asyncpg.InvalidPasswordError("wrong"),
    asyncpg.DataError("bad argument"),
    asyncpg.ProtocolViolationError("bad"),
    asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
    ValueError("ours"),
    KeyError("ours"),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_away(error: Exception) -> None:
    with pytest.raises(Transient) as caught, postgres.told_apart():
        raise error
    assert caught.value.args == ("database", type(error).__name__)


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_bugs_stay_bugs(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, postgres.told_apart():
        raise error
    assert not isinstance(caught.value, Transient)


def test_what_is_transient_already_keeps_its_kind() -> None:
    with pytest.raises(LaneLost), postgres.told_apart():
        raise LaneLost("1 of 2")


class Silent:
    """A pool and its one connection, whose server has gone without a word; notes what is still said to it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncGenerator[Silent]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[None]:
        self.said.append("BEGIN")
        try:
            yield
        except TimeoutError:
            self.said.append("ROLLBACK")
            raise asyncpg.InterfaceError("connection is closed") from None
        raise TimeoutError  # of the COMMIT

    def terminate(self) -> None:
        self.said.append("terminated")

    async def expire_connections(self) -> None:
        self.said.append("all expired")


async def test_who_does_not_answer_is_not_spoken_to_again() -> None:
    pool: Any = Silent()
    with pytest.raises(Transient):
        async with postgres.transaction(pool):
            raise TimeoutError  # of a statement
    assert pool.said[:4] == ["BEGIN", "terminated", "all expired", "ROLLBACK"]


async def test_a_commit_without_an_answer_ends_the_connection() -> None:
    pool: Any = Silent()
    with pytest.raises(Transient):
        async with postgres.transaction(pool):
            pass
    assert pool.said == ["BEGIN", "terminated", "all expired"]


def test_the_server_gives_up_before_we_do() -> None:
    assert postgres.LOCK_MS < postgres.STATEMENT_MS < postgres.ANSWER_S * 1000 < 30_000
