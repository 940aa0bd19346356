"""Tables in memory with PostgreSQL's READ COMMITTED: row locks, what others committed is seen by the next statement."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

import asyncpg

from tests.sim.store.constraints import check

Place = tuple[str, Hashable]
LOCK_TIMEOUT_S = 10.0


class Row(dict[str, Any]):
    """A row as the driver gives it: by name, or unpacked in the order of its columns."""

    def __iter__(self) -> Iterator[Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - a Record iterates over values
        return iter(self.values())

    def pick(self, *names: str) -> Row:
        """These columns only, in this order."""
        return Row((name, self[name]) for name in names)


class Database:
    """The server of one service: what is committed, who holds what; `committed` is asked to look at each commit."""

    def __init__(self, name: str, loop: Any) -> None:
        self.name, self.loop = name, loop
        self.tables: dict[str, dict[Any, Row]] = defaultdict(dict)
        self.locks: dict[Place, dict[Tx, bool]] = {}
        self.waiters: dict[Place, list[asyncio.Future[bool]]] = defaultdict(list)
        self.open: dict[Tx, None] = {}  # in the order in which they began
        self.sequences: dict[str, int] = defaultdict(int)
        self.committed: list[Callable[[Database, Tx], None]] = []
        self.away = False

    def next(self, sequence: str) -> int:
        """A number nobody was given before; never taken back."""
        self.sequences[sequence] += 1
        return self.sequences[sequence]


class Tx:
    """A transaction on the server; it ends with `commit` or `abort`, whatever has become of the client."""

    def __init__(self, database: Database, owner: Any) -> None:
        self.database, self.owner = database, owner
        self.written: dict[str, dict[Any, Row | None]] = defaultdict(dict)
        self.notes: list[Any] = []  # what the client did under this transaction, for who watches it
        self.claimed: set[Any] = set()  # lanes that it takes over
        self.over = False
        self.failed = False  # a statement was refused: the server takes nothing more but the end
        self.committing = False
        self._held: set[Place] = set()
        self._waits_for: Place | None = None
        database.open[self] = None

    # --- rows --------------------------------------------------------------------------------------------------

    def get(self, table: str, key: Any) -> Row | None:
        """The row as this transaction sees it now."""
        mine = self.written[table]
        return mine[key] if key in mine else self.database.tables[table].get(key)

    def scan(self, table: str) -> list[tuple[Any, Row]]:
        """All rows of a table as this transaction sees them now."""
        mine, rows = self.written[table], self.database.tables[table]
        found = [(key, row) for key, row in rows.items() if key not in mine]
        return found + [(key, row) for key, row in mine.items() if row is not None]

    def put(self, table: str, key: Any, row: Mapping[str, Any] | None) -> None:
        """Write or (None) delete a row whose lock is held."""
        assert (table, key) in self._held, f"{table} {key!r} is written without its lock"
        if row is not None:
            check(self, table, row)
        self.written[table][key] = None if row is None else Row(row)

    # --- locks -------------------------------------------------------------------------------------------------

    async def lock(self, table: str, key: Any, shared: bool = False) -> None:
        """Wait for the row; raises what the server raises for a deadlock and for a wait that is too long."""
        place = (table, key)
        ends = self.database.loop.time() + LOCK_TIMEOUT_S
        while self._others(place, shared):
            if self._in_a_circle(place):
                raise asyncpg.DeadlockDetectedError("deadlock detected")
            self._waits_for = place
            free = await self._wait(place, ends)
            self._waits_for = None
            self.ensure_open()
            if not free:
                raise asyncpg.LockNotAvailableError("lock timeout")
        holders = self.database.locks.setdefault(place, {})
        holders[self] = holders.get(self, True) and shared
        self._held.add(place)

    def _others(self, place: Place, shared: bool) -> list[Tx]:
        holders = self.database.locks.get(place, {})
        return [tx for tx, theirs in holders.items() if tx is not self and not (shared and theirs)]

    def _in_a_circle(self, place: Place) -> bool:
        seen: set[Tx] = set()
        todo = self._others(place, False)
        while todo:
            tx = todo.pop()
            if tx is self:
                return True
            if tx not in seen and tx._waits_for is not None:
                seen.add(tx)
                todo += [other for other in self.database.locks.get(tx._waits_for, {}) if other is not tx]
        return False

    async def _wait(self, place: Place, ends: float) -> bool:
        loop = self.database.loop
        future: asyncio.Future[bool] = loop.create_future()
        self.database.waiters[place].append(future)
        timer = loop.call_at(ends, _settle, future, False)
        free = await future
        timer.cancel()
        return free

    def ensure_open(self) -> None:
        """The server has ended it meanwhile: the connection is closed."""
        if self.over:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    # --- the end -----------------------------------------------------------------------------------------------

    def commit(self) -> None:
        """What was written is there for all."""
        for look in self.database.committed:
            look(self.database, self)
        for table, rows in self.written.items():
            for key, row in rows.items():
                if row is None:
                    self.database.tables[table].pop(key, None)
                else:
                    self.database.tables[table][key] = row
        self._end()

    def abort(self) -> None:
        """As if it had never been."""
        if not self.over:
            self._end()

    def _end(self) -> None:
        self.over = True
        self.database.open.pop(self, None)
        for place in sorted(self._held, key=repr):
            holders = self.database.locks[place]
            holders.pop(self, None)
            if not holders:
                del self.database.locks[place]
            for future in self.database.waiters.pop(place, []):
                _settle(future, True)
        self._held.clear()


def _settle(future: asyncio.Future[bool], free: bool) -> None:
    if not future.done():
        future.set_result(free)
