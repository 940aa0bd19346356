"""Questions to the store that come while others are being answered are answered together: one statement, one wait.

Nobody waits for company: a question that comes alone is asked at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import asyncpg

from services.chassis import postgres
from services.chassis.handling import Transaction

Q = TypeVar("Q")
A = TypeVar("A")
Work = Callable[[Transaction, Sequence[Q]], Awaitable[Sequence[A]]]
Call = tuple[Sequence[Q], "asyncio.Future[Sequence[A]]"]


class Coalescer(Generic[Q, A]):
    """`work` answers questions in their order, each statement a transaction of its own; at most `limit` at once.

    The connection is kept while questions keep coming.
    """

    def __init__(self, pool: asyncpg.Pool[Any], work: Work[Q, A], limit: int, name: str) -> None:
        self._pool = pool
        self._work = work
        self._limit = limit
        self._name = name
        self._waiting: list[Call[Q, A]] = []
        self._working: asyncio.Task[None] | None = None

    async def ask(self, questions: Sequence[Q]) -> Sequence[A]:
        """The answers; whatever `work` raises is raised for everybody who was asked for with it."""
        done: asyncio.Future[Sequence[A]] = asyncio.get_running_loop().create_future()
        self._waiting.append((questions, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._answer_waiting(), name=self._name)
        return await done

    async def _answer_waiting(self) -> None:
        while self._waiting:
            taken: list[Call[Q, A]] = []
            try:
                async with postgres.session(self._pool) as connection:
                    while self._waiting:
                        taken = self._take()
                        _settle(taken, await self._work(connection, [q for asked, _ in taken for q in asked]))
                        taken = []
            except Exception as error:  # noqa: BLE001 - it is raised where it was asked
                _fail(taken or self._take(), error)

    def _take(self) -> list[Call[Q, A]]:
        """Whole calls from the front, as many as fit, at least one."""
        count = size = 0
        for asked, _ in self._waiting:
            size += len(asked)
            if count and size > self._limit:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken


def _settle(taken: Sequence[Call[Q, A]], answers: Sequence[A]) -> None:
    at = 0
    for asked, done in taken:
        if not done.done():  # else the caller has gone away
            done.set_result(answers[at : at + len(asked)])
        at += len(asked)


def _fail(taken: Sequence[Call[Q, A]], error: Exception) -> None:
    for _, done in taken:
        if not done.done():
            done.set_exception(error)
