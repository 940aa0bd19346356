"""An orderly end in the time that a SIGTERM leaves, whatever broker, group and database are doing.

Measured on a busy machine: a client leaving in the middle of a rebalance waits until all others have joined it, a pool
until its last connection comes back. Neither is needed: a static member says no goodbye, and what was committed and not
published is published by the next owner. So each step has its share of the time and is left behind when that is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from services.chassis import logs

LIMIT_S = 8.5  # of the 10 s that a SIGTERM leaves; the interpreter needs the rest
TURN_S = 6.0  # of these, for the running turn to commit, publish and be written down
STEP_S = 2.0
LEAST_S = 0.1  # what a step has when nothing is left

T = TypeVar("T")


class Ending:
    """The time that is left, from the first step on."""

    def __init__(self) -> None:
        self._over: float | None = None

    def left(self, most: float) -> float:
        """Seconds for a step that wants so many."""
        now = asyncio.get_running_loop().time()
        if self._over is None:
            self._over = now + LIMIT_S
        return max(LEAST_S, min(most, self._over - now))

    async def put_away(self, what: str, close: Callable[[], Awaitable[object]], most: float = STEP_S) -> None:
        """Close something, or leave it behind."""
        try:
            async with asyncio.timeout(self.left(most)):
                await close()
        except TimeoutError:
            logs.warn("left_behind", what=what)

    @asynccontextmanager
    async def bounded(self, what: str, part: AbstractAsyncContextManager[T], most: float = STEP_S) -> AsyncGenerator[T]:
        """The same context, whose end has its limit."""
        entered = await part.__aenter__()
        try:
            yield entered
        finally:
            await self.put_away(what, lambda: part.__aexit__(None, None, None), most)

    async def finish(self, turning: asyncio.Task[None], others: list[asyncio.Task[None]]) -> None:
        """Let the running turn end, and cut it short when it does not."""
        for task in others:
            task.cancel()
        await asyncio.wait([turning, *others], timeout=self.left(TURN_S))
        if not turning.done():
            logs.warn("left_behind", what="turn")
            turning.cancel()
            await asyncio.wait([turning], timeout=self.left(STEP_S))


async def unless(stop: asyncio.Event, attempt: Callable[[], Awaitable[T]]) -> T:
    """The attempt's result; raises `SystemExit` (0) as soon as the process is told to stop."""
    trying, told = asyncio.ensure_future(attempt()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([trying, told], return_when=asyncio.FIRST_COMPLETED)
        if not trying.done():
            raise SystemExit(0)
        return trying.result()
    finally:
        trying.cancel()
        told.cancel()
