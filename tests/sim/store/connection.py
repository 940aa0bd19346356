"""The driver's side: a pool, a connection and a transaction with the part of asyncpg's interface that is used.

All that can go wrong between a service and its database happens here: the connection breaks in a statement, the server
is away, COMMIT is lost, or it is done and the answer is lost. The commit itself is the server's: it happens, or not,
whatever has become of the process that asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import asyncpg

from services.chassis.bulk import Rows
from tests.sim.store.engine import Database, Row, Tx
from tests.sim.store.statements import insert_or, run, statement
from tests.sim.store.transactions import CURRENT
from tests.sim.virtual import OWNER

DEFAULTS: dict[str, dict[str, Any]] = {
    "record_standing": {"link_no": 0, "nobodys": False},
    "subject_files": {"erased": False},
    "record_links": {"link_no": 0},
    "exchanges": {"link_no": 0, "nobodys": False},
}
KEY_COLUMNS = {"answers": 4, "records": 3, "disclosed_records": 2}


class Pool:
    """`acquire` gives a connection; raises OSError while the database is away."""

    def __init__(self, database: Database, troubles: Any) -> None:
        self.database, self.troubles = database, troubles

    def acquire(self, timeout: float = 10.0) -> Acquired:
        """For `async with`."""
        return Acquired(self)

    async def expire_connections(self) -> None:
        """Each is made anew here."""


class Acquired:
    """A connection for as long as the block lasts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._connection: Connection | None = None

    async def __aenter__(self) -> Connection:
        if self._pool.database.away:
            await asyncio.sleep(self._pool.troubles.latency())
            raise ConnectionRefusedError("the database is away")
        self._connection = Connection(self._pool)
        return self._connection

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()


class Connection:
    """Statements outside a transaction are not used, but for advisory locks of the session."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._database = pool, pool.database
        self.tx: Tx | None = None
        self._session: Tx | None = None  # holds the locks that end with the connection

    def transaction(self) -> Transaction:
        """For `async with`."""
        return Transaction(self, self._pool)

    def is_closed(self) -> bool:
        """The server has ended it."""
        return self._session is not None and self._session.over

    def close(self) -> None:
        """What the session holds is free."""
        if self._session is not None:
            self._session.abort()

    async def _run(self, sql: str, arguments: tuple[Any, ...]) -> Any:
        if self.tx is None and self._session is None:
            self._session = Tx(self._database, OWNER.get())
        tx = self.tx or self._session
        assert tx is not None
        await self._pool.troubles.statement(self._database, tx)
        with _refusals(tx):
            return await run(tx, sql, arguments)

    async def execute(self, sql: str, *arguments: Any) -> str:
        """The command tag."""
        return str(await self._run(sql, arguments))

    async def fetch(self, sql: str, *arguments: Any) -> list[Row]:
        """All rows."""
        rows: list[Row] = await self._run(sql, arguments)
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> Row | None:
        """The first row."""
        rows = await self.fetch(sql, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The first column of the first row."""
        row = await self.fetchrow(sql, *arguments)
        return None if row is None else next(iter(row))

    async def executemany(self, sql: str, many: list[tuple[Any, ...]]) -> None:
        """One statement for many rows of arguments."""
        for arguments in many:
            await self._run(sql, tuple(arguments))

    async def copy_records_to_table(
        self, table: str, *, records: list[tuple[Any, ...]], columns: tuple[str, ...]
    ) -> str:
        """COPY; raises the driver's error for a key that is there."""
        assert self.tx is not None
        with _refusals(self.tx):
            return await copy(self.tx, table, records, columns)


@contextmanager
def _refusals(tx: Tx) -> Generator[None]:
    """A statement that is refused ends its transaction; the locks are free at once."""
    if tx.failed:
        raise asyncpg.InFailedSQLTransactionError("current transaction is aborted")
    tx.ensure_open()
    try:
        yield
    except asyncpg.PostgresError as error:
        tx.failed = not isinstance(error, asyncpg.PostgresConnectionError)
        tx.abort()
        raise


def _key(table: str, record: tuple[Any, ...]) -> Any:
    """A table's key is its first columns; a key of one column is no tuple here."""
    width = KEY_COLUMNS.get(table, 1)
    return record[0] if width == 1 else tuple(record[:width])


def new_rows(rows: Rows) -> None:
    """Register the INSERT that a `Rows` makes of its columns."""
    made: Any = rows

    async def insert(tx: Tx, *arrays: list[Any]) -> str:
        return (await copy(tx, made._table, list(zip(*arrays, strict=True)), made._columns)).replace("COPY", "INSERT 0")

    statement(made.statement)(insert)


async def copy(tx: Tx, table: str, records: list[tuple[Any, ...]], names: tuple[str, ...]) -> str:
    """COPY: all rows or none."""
    defaults = DEFAULTS.get(table, {})
    rows = [(_key(table, record), {**defaults, **dict(zip(names, record, strict=True))}) for record in records]
    await insert_or(tx, table, rows, refuse)
    return f"COPY {len(records)}"


def refuse(old: Row, new: dict[str, Any]) -> None:
    """An INSERT without ON CONFLICT."""
    raise asyncpg.UniqueViolationError("duplicate key value violates unique constraint")


class Transaction:
    """BEGIN, and COMMIT or ROLLBACK; after an error of a statement the server takes nothing but the latter."""

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection, self._pool = connection, pool

    async def __aenter__(self) -> None:
        await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        await (self.commit() if kind is None else self.rollback())

    async def start(self) -> None:
        """BEGIN."""
        self._connection.tx = tx = Tx(self._pool.database, OWNER.get())
        CURRENT.set(tx)

    async def rollback(self) -> None:
        """ROLLBACK."""
        self._ended().abort()

    def _ended(self) -> Tx:
        tx, self._connection.tx = self._connection.tx, None
        assert tx is not None
        return tx

    async def commit(self) -> None:
        """COMMIT; it may be lost, or done and not answered. After a statement that failed it is a ROLLBACK."""
        tx = self._ended()
        if tx.failed:
            tx.abort()
            return
        loop, troubles = self._pool.database.loop, self._pool.troubles
        fate = troubles.commit(self._pool.database)
        await asyncio.sleep(troubles.latency())
        tx.ensure_open()
        if fate == "lost" or self._pool.database.away:
            tx.abort()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        tx.committing = True
        done: asyncio.Future[bool] = loop.create_future()
        loop.call_later(troubles.commit_takes(), _on_server, tx, done, context=troubles.outside)
        if fate == "unanswered":  # and perhaps not done yet: whoever goes on meanwhile goes on beside it
            await asyncio.sleep(troubles.latency())
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        if not await done:
            raise asyncpg.AdminShutdownError("terminating connection due to administrator command")


def _on_server(tx: Tx, done: asyncio.Future[bool]) -> None:
    well = not tx.over
    if well:
        tx.commit()
    if not done.done():
        done.set_result(well)
