"""A case of the contract: a check that is made of a store, whichever of the two it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol


class Store(Protocol):
    """An empty store of one service. Pools and connections are asyncpg's, or the fake's in their place."""

    @property
    def pool(self) -> Any:
        """As the services open it."""
        ...

    @property
    def hasty(self) -> Any:
        """The same, but a statement waits for a lock for a moment only."""
        ...

    async def rows(self, table: str, names: str) -> list[tuple[Any, ...]]:
        """What is committed: these columns of every row, sorted by their text."""
        ...

    async def waits(self) -> None:
        """Until a statement waits for a lock."""
        ...


class Case(NamedTuple):
    """One check, of the store of one service."""

    service: str
    name: str
    check: Callable[[Store], Awaitable[None]]


CASES: list[Case] = []


def case(service: str = "ingestion") -> Callable[[Callable[[Store], Awaitable[None]]], Any]:
    """Register a check; the chassis' tables are in every store, so any service will do for them."""

    def register(check: Callable[[Store], Awaitable[None]]) -> Callable[[Store], Awaitable[None]]:
        CASES.append(Case(service, check.__name__, check))
        return check

    return register


@asynccontextmanager
async def begin(pool: Any) -> AsyncGenerator[Any]:
    """A connection in a transaction."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


def values(rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Rows in the order in which they came."""
    return [tuple(row) for row in rows]


def unordered(rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Rows of a statement that promises no order."""
    return sorted(values(rows), key=repr)


def at(second: int) -> datetime:
    """A moment of 24 November 2017."""
    return datetime(2017, 11, 24, 6, 0, second, tzinfo=UTC)
