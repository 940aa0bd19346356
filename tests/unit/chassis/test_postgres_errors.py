"""Which database errors are worth waiting for."""

from __future__ import annotations

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
