"""What the lane loop waits for, and what cuts it short: the end of the process, or lanes that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0  # after trouble, and when it lasts

T = TypeVar("T")


class Waiting:
    """`over` once the process shall end."""

    def __init__(self) -> None:
        self.over = False
        self._news = asyncio.Event()
        self._patience: asyncio.Timeout | None = None
        self._cut = False
        self.calm()

    def end(self) -> None:
        """Wait for nothing any more."""
        if not self.over:
            self.over = True
            self._news.set()
            self.cut()

    def cut(self) -> None:
        """Give up the answer that is waited for: what was asked about is gone."""
        if self._patience is not None and not self._cut:
            self._cut = True
            self._patience.reschedule(asyncio.get_running_loop().time())

    def hear(self) -> None:
        """Lanes were assigned: what was waited for may be there."""
        self._news.set()

    def begin(self) -> None:
        """A turn begins; what is heard from now on is news to it."""
        if not self.over:
            self._news.clear()

    def calm(self) -> None:
        """There is no trouble: the next pause is short."""
        self._seconds = PAUSE_S

    async def pause(self) -> None:
        """After trouble, longer each time; cut short, and short again, by news."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), self._seconds)
        self._seconds = PAUSE_S if self._news.is_set() else min(self._seconds * 2, LONGEST_PAUSE_S)

    async def unless_cut(self, answer: Coroutine[Any, Any, T]) -> T | None:
        """An answer that may wait for a rebalance, which takes as long as the slowest member; None: given up."""
        self._cut = self.over
        try:
            async with asyncio.timeout(0 if self.over else None) as self._patience:
                return await answer
        except TimeoutError:
            if not self._cut:
                raise
            return None
        finally:
            self._patience = None
