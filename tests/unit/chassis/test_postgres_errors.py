"""Which database errors are worth waiting for."""

from __future__ import annotations

import asyncio
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


TOO_MUCH = {"QueryCanceledError", "IdleInTransactionSessionTimeoutError"}


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_only_a_time_limit_of_the_work_itself_says_that_it_was_too_much(error: Exception) -> None:
    """Not a lock of somebody else's, however long it was waited for."""
    with pytest.raises(Transient) as caught, postgres.told_apart():
        raise error
    assert caught.value.too_much == (type(error).__name__ in TOO_MUCH)


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_bugs_stay_bugs(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, postgres.told_apart():
        raise error
    assert not isinstance(caught.value, Transient)


def test_what_is_transient_already_keeps_its_kind() -> None:
    with pytest.raises(LaneLost), postgres.told_apart():
        raise LaneLost("1 of 2")


class Database:
    """A pool and its one connection; notes what is said to it. `silent` at this word: it has gone without one."""

    def __init__(self, silent: str = "") -> None:
        self.said: list[str] = []
        self._silent = silent

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncGenerator[Database]:
        yield self

    def transaction(self) -> Database:
        return self

    async def start(self) -> None:
        self.say("BEGIN")

    async def rollback(self) -> None:
        self.say("ROLLBACK")

    async def commit(self) -> None:
        self.say("COMMIT")

    def say(self, word: str) -> None:
        self.said.append(word)
        if word == self._silent:
            raise TimeoutError

    def terminate(self) -> None:
        self.said.append("terminated")

    async def expire_connections(self) -> None:
        self.said.append("all expired")


async def test_a_transaction() -> None:
    pool: Any = Database()
    async with postgres.transaction(pool):
        pool.say("SELECT")
    with pytest.raises(ZeroDivisionError):
        async with postgres.transaction(pool):
            raise ZeroDivisionError
    assert pool.said == ["BEGIN", "SELECT", "COMMIT", "BEGIN", "ROLLBACK"]


@pytest.mark.parametrize("word", ["BEGIN", "SELECT", "COMMIT"])
async def test_who_does_not_answer_is_not_spoken_to_again(word: str) -> None:
    pool: Any = Database(word)
    with pytest.raises(Transient):
        async with postgres.transaction(pool):
            pool.say("SELECT")
    assert pool.said[pool.said.index(word) + 1 :] == ["terminated", "all expired"]


@pytest.mark.parametrize(("seconds", "too_much"), [(0.0, False), (4.9, False), (5.1, True)])
async def test_a_session_that_was_ended_for_thinking_too_long_was_given_too_much(
    monkeypatch: pytest.MonkeyPatch, seconds: float, too_much: bool
) -> None:
    """The driver only finds it closed."""
    pool: Any = Database()
    now = [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    with pytest.raises(Transient) as caught:
        async with postgres.transaction(pool):
            now[0] += seconds
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
    assert caught.value.args == ("database", "ConnectionDoesNotExistError")
    assert caught.value.too_much == too_much


async def test_an_answer_that_does_not_come_may_have_been_too_much_to_ask_and_a_connection_that_does_not_may_not() -> (
    None
):
    class Full(Database):
        @asynccontextmanager
        async def acquire(self, timeout: float) -> AsyncGenerator[Database]:
            raise TimeoutError
            yield self

    for database, too_much in ((Database("SELECT"), True), (Full(), False)):
        pool: Any = database
        with pytest.raises(Transient) as caught:
            async with postgres.transaction(pool):
                pool.say("SELECT")
        assert caught.value.too_much == too_much


async def test_a_cancelled_task_ends_although_the_database_is_silent() -> None:
    """As at a SIGTERM: a loop that catches `Transient` and goes on must not be told of that instead."""
    pool: Any = Database("ROLLBACK")
    within = asyncio.Event()

    async def wait_in_a_transaction() -> None:
        async with postgres.transaction(pool):
            within.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(wait_in_a_transaction())
    await within.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.said == ["BEGIN", "terminated"]


def test_the_server_gives_up_before_we_do() -> None:
    assert postgres.LOCK_MS < postgres.STATEMENT_MS < postgres.ANSWER_S * 1000 < 30_000
