"""The service's own database: pool, transaction, and which database errors are worth waiting for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.chassis.settings import Settings

CONNECT_S = 10.0
# How long an answer may take, so that a database that is gone without a word (half-open: its machine, or the way to it)
# is noticed and everything taken up anew within the 30 s that recovery may last. The server's limits stand below the
# client's: while it still hears us it ends the work itself, and says why.
LOCK_MS = 10_000
STATEMENT_MS = 14_000
ANSWER_S = 16.0
IDLE_MS = 5000  # in a transaction: so long may a turn think between two statements
# A process, or a way to it, that is gone holds its lanes' rows until the server notices.
SERVER_LIMITS = {
    "lock_timeout": f"{LOCK_MS}",
    "statement_timeout": f"{STATEMENT_MS}",
    "idle_in_transaction_session_timeout": f"{IDLE_MS}",
    "tcp_user_timeout": "10000",  # ms for bytes sent to be acknowledged
    "tcp_keepalives_idle": "5",  # s of silence, then a question every
    "tcp_keepalives_interval": "2",  # s, and after
    "tcp_keepalives_count": "3",  # without an answer the session ends
    "client_connection_check_interval": "2000",  # ms; also while a statement runs and nothing is sent
}

# Retriable is a property of the type, by SQLSTATE class. Everything else the database says is a bug: not caught.
WAIT_FOR: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,  # 08
    asyncpg.TransactionRollbackError,  # 40: serialization, deadlock
    asyncpg.InsufficientResourcesError,  # 53: disk full, memory, too many connections
    asyncpg.OperatorInterventionError,  # 57: shutdown, crash recovery, starting up, cancelled by a time limit
    asyncpg.PostgresIOError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, while a fail-over lasts
    OSError,  # refused, reset, timed out
)
# Limits that less work might not have reached. A lock waited for in vain is somebody else's, however little we do.
TOO_MUCH = (asyncpg.QueryCanceledError, asyncpg.IdleInTransactionSessionTimeoutError)
CLOSED = (asyncpg.InterfaceError, asyncpg.ConnectionDoesNotExistError)
# In one of these classes, but waiting does not help.
BUGS: tuple[type[BaseException], ...] = (
    asyncpg.ProtocolViolationError,
    asyncpg.TransactionIntegrityConstraintViolationError,
    asyncpg.ConfigurationLimitExceededError,
    asyncpg.DatabaseDroppedError,
)


def connection_settings(settings: Settings) -> dict[str, Any]:
    """Where, as whom, and under what name the server's tools see us."""
    return {
        "dsn": settings.postgres_dsn,
        "password": settings.postgres_password,
        "timeout": CONNECT_S,
        "server_settings": {"application_name": f"{settings.service}-{settings.worker}", "timezone": "UTC"},
    }


# What a turn asks for, it asks for by key. Left to the statistics, a table that was small when it was last analysed is
# read whole for every batch. Keys are joined from `unnest`, which looks into one partition for each; `= ANY` looks into
# all (900 keys, 8 partitions of 30,000 rows: 2.6 ms against 7.7, and 121 where the whole table is read).
# One plan for any keys: the one for a single key would look cheaper, and planning over all partitions costs more than
# asking.
BY_KEY = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}


async def open_pool(settings: Settings) -> asyncpg.Pool[Any]:
    """Connect; raises `Transient` while the database is away. No codec is set: json stays text, decoded where used."""
    arguments = connection_settings(settings)
    arguments["server_settings"] |= SERVER_LIMITS | BY_KEY
    with told_apart():
        return await asyncpg.create_pool(**arguments, min_size=1, max_size=8, command_timeout=ANSWER_S, reset=_as_it_is)


async def _as_it_is(_: Any) -> None:
    """A connection goes back as it is: a transaction leaves nothing in its session, and a broken one is rolled back all
    the same. The default would ask the server to forget settings, cursors and locks, once for every turn.
    """


@asynccontextmanager
async def transaction(pool: asyncpg.Pool[Any]) -> AsyncGenerator[Transaction]:
    """One transaction; a lost connection raises `Transient`, after which the commit may or may not have happened."""
    with told_apart():
        async with pool.acquire(timeout=CONNECT_S) as connection, answering(pool, connection):
            begun = connection.transaction()
            await begun.start()
            try:
                yield connection
            except LEFT:
                raise
            except BaseException:
                await begun.rollback()
                raise
            await begun.commit()


# Left without a ROLLBACK: a server that has gone would let us wait for it as long again, and a task that was cancelled
# would hear of that instead of its end, and live on.
LEFT = (TimeoutError, asyncio.CancelledError)


@asynccontextmanager
async def answering(pool: asyncpg.Pool[Any], connection: Any) -> AsyncGenerator[None]:
    """Leave a connection in the middle, without a further word, when it does not answer in time or nobody waits for it.

    Who did not answer has neighbours in the pool that are as dead: each would cost its own `ANSWER_S`.
    """
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        yield
    except TimeoutError as error:
        connection.terminate()
        await pool.expire_connections()
        raise Transient("database", type(error).__name__, too_much=True) from error
    except asyncio.CancelledError:
        connection.terminate()
        raise
    except CLOSED as error:
        # The server says why it ends a session that was idle too long, but the driver only finds it closed.
        if worth_waiting(error) and clock() - began > IDLE_MS / 1000:
            raise Transient("database", type(error).__name__, too_much=True) from error
        raise


@asynccontextmanager
async def session(pool: asyncpg.Pool[Any]) -> AsyncGenerator[Transaction]:
    """A connection on which each statement is a transaction of its own, and sees one moment."""
    with told_apart():
        async with pool.acquire(timeout=CONNECT_S) as connection:
            yield connection


@contextmanager
def told_apart() -> Generator[None]:
    """Turn what is worth waiting for into `Transient`; leave everything else alone."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        if not worth_waiting(error):
            raise
        raise Transient("database", type(error).__name__, too_much=isinstance(error, TOO_MUCH)) from error


def worth_waiting(error: BaseException) -> bool:
    """Whether the database is away or busy, rather than we are wrong."""
    if isinstance(error, asyncpg.InternalClientError):
        # Seen when the server ends a connection while the pool hands it out: the driver trips over its own state.
        return "another operation" in str(error)
    if isinstance(error, asyncpg.InterfaceError):
        # The driver's own errors have no code. A connection that broke in the middle is said to be closed or closing.
        return "clos" in str(error)
    return isinstance(error, WAIT_FOR) and not isinstance(error, BUGS)
