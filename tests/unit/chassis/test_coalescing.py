"""Questions that come together are answered together, each caller with its own answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.chassis.coalescing import Coalescer
from services.chassis.errors import Transient


class Pool:
    """Hands out a connection, or the error it was given."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken = 0

    @asynccontextmanager
    async def acquire(self, timeout: float) -> AsyncGenerator[Pool]:
        if self.errors:
            raise self.errors.pop(0)
        self.taken += 1
        yield self


class Store:
    """Doubles numbers, one statement after the other, when it is let."""

    def __init__(self, pool: Pool, limit: int = 100) -> None:
        self.statements: list[list[int]] = []
        self.began, self.let = asyncio.Event(), asyncio.Event()
        self.coalescer = Coalescer[int, int](pool, self.double, limit, "test")  # type: ignore[arg-type]

    async def double(self, tx: Any, numbers: Sequence[int]) -> Sequence[int]:
        self.statements.append([*numbers])
        self.began.set()
        await self.let.wait()
        if 13 in numbers:
            raise ZeroDivisionError
        return [2 * n for n in numbers]

    def asked(self, *numbers: int) -> asyncio.Task[Sequence[int]]:
        return asyncio.create_task(_ask(self.coalescer, numbers))


async def _ask(coalescer: Coalescer[int, int], numbers: Sequence[int]) -> Sequence[int]:
    return await coalescer.ask(numbers)


def test_what_comes_meanwhile_is_one_statement_and_everybody_gets_their_own() -> None:
    async def story() -> None:
        pool = Pool()
        store = Store(pool)
        first = store.asked(1)
        await store.began.wait()
        others = [store.asked(n, n + 1) for n in (10, 20, 30)]
        await asyncio.sleep(0)
        store.let.set()
        assert await first == [2]
        assert [await other for other in others] == [[20, 22], [40, 42], [60, 62]]
        assert store.statements == [[1], [10, 11, 20, 21, 30, 31]]
        assert pool.taken == 1

    asyncio.run(story())


def test_a_statement_takes_whole_calls_while_they_fit_and_at_least_one() -> None:
    async def story() -> None:
        store = Store(Pool(), limit=3)
        calls = [store.asked(*range(first, last)) for first, last in ((0, 2), (2, 4), (4, 5), (5, 10))]
        store.let.set()
        for call in calls:
            await call
        assert store.statements == [[0, 1], [2, 3, 4], [5, 6, 7, 8, 9]]

    asyncio.run(story())


def test_an_error_reaches_those_it_was_raised_for_and_nobody_after_them() -> None:
    async def story() -> None:
        store = Store(Pool())
        first = store.asked(1)
        await store.began.wait()
        second, third = store.asked(13), store.asked(14)
        await asyncio.sleep(0)
        store.let.set()
        assert await first == [2]
        for call in (second, third):
            with pytest.raises(ZeroDivisionError):
                await call
        assert await store.asked(5) == [10]

    asyncio.run(story())


def test_a_caller_that_has_gone_away_disturbs_nobody() -> None:
    async def story() -> None:
        store = Store(Pool())
        gone, stays = store.asked(1), store.asked(2)
        await store.began.wait()
        gone.cancel()
        await asyncio.sleep(0)
        store.let.set()
        assert await stays == [4]
        assert gone.cancelled()

    asyncio.run(story())


def test_while_the_database_is_away_everybody_who_waits_is_told_and_the_next_may_try() -> None:
    async def story() -> None:
        store = Store(Pool(ConnectionRefusedError()))
        store.let.set()
        calls = [store.asked(1), store.asked(2)]
        for call in calls:
            with pytest.raises(Transient):
                await call
        assert await store.asked(3) == [6]

    asyncio.run(story())
