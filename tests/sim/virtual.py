"""An event loop on virtual time: what waits is skipped, everything runs in one order, a process can freeze or die.

Every callback carries the context it was made in, and the context knows its owner. What belongs to a frozen owner is
put aside until it thaws; what belongs to a dead one is never run again, not even a `finally`.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Literal

START_MS = 1_511_503_200_000  # 2017-11-24 14:00 in Beijing
LIMIT = 1_000_000  # callbacks in one seed; a hundred times more than one needs


class Stuck(Exception):
    """Nothing is left to do, or it never ends: a bug of the simulation or of what it runs."""


class Owner:
    """Whose a callback is: one run of one process; None stands for the world outside."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: Literal["alive", "frozen", "dead"] = "alive"
        self.held: list[Handle] = []


OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("owner", default=None)


class Handle:
    """A callback that waits for its turn."""

    __slots__ = ("args", "callback", "context", "gone", "moment")

    def __init__(
        self, callback: Callable[..., Any], args: tuple[Any, ...], context: contextvars.Context, moment: float = 0.0
    ) -> None:
        self.callback, self.args, self.context, self.moment = callback, args, context, moment
        self.gone = False

    def cancel(self) -> None:
        """Do not run it."""
        self.gone = True

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.gone

    def when(self) -> float:
        """The virtual second at which it is due."""
        return self.moment


class VirtualLoop(asyncio.AbstractEventLoop):
    """The part of an event loop that needs no operating system; `moment` is the virtual time in seconds."""

    def __init__(self) -> None:
        self.moment = 0.0
        self.steps = 0
        self.troubles: list[str] = []
        self._ready: deque[Handle] = deque()
        self._timers: list[tuple[float, int, Handle]] = []
        self._number = 0
        self._tasks: list[
            asyncio.Task[Any]
        ] = []  # kept: a dead process' coroutines must not be closed by the collector

    def time(self) -> float:
        return self.moment

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return START_MS + int(self.moment * 1000)

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> Any:
        handle = Handle(callback, args, context or contextvars.copy_context())
        self._ready.append(handle)
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: contextvars.Context | None = None) -> Any:
        return self.call_at(self.moment + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: contextvars.Context | None = None) -> Any:
        handle = Handle(callback, args, context or contextvars.copy_context(), when)
        self._number += 1
        heapq.heappush(self._timers, (when, self._number, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name or "task", context=context)
        self._tasks.append(task)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        message = str(context.get("message", ""))
        if "never retrieved" not in message and "destroyed" not in message:
            self.troubles.append(f"{message}: {context.get('exception')!r}")

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def run(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Until `main` has ended; raises what it raises, and `Stuck`."""
        asyncio._set_running_loop(self)  # pyright: ignore[reportPrivateUsage] - documented for makers of event loops
        try:
            task = self.create_task(main)
            while not task.done():
                self._step()
            return task.result()
        finally:
            asyncio._set_running_loop(None)  # pyright: ignore[reportPrivateUsage] - as above
            self._ready.clear()
            self._timers.clear()

    def close(self) -> None:
        """End what a killed process has left, in a fixed order and not when the collector finds it."""
        for task in self._tasks:
            task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue] - what is left is meant to be
            if not task.done():
                # A block that waits on its way out cannot: its process is dead.
                with suppress(RuntimeError):
                    task.get_coro().close()  # pyright: ignore[reportOptionalMemberAccess]

    def _step(self) -> None:
        self.steps += 1
        if self.steps > LIMIT:
            raise Stuck(f"more than {LIMIT} steps")
        if self._ready:
            self._run(self._ready.popleft())
        elif self._timers:
            when, _, handle = heapq.heappop(self._timers)
            self.moment = max(self.moment, when)
            self._run(handle)
        else:
            raise Stuck("nothing left to do")

    def _run(self, handle: Handle) -> None:
        if handle.gone:
            return
        owner = handle.context.get(OWNER)
        if owner is None or owner.state == "alive":
            handle.context.run(handle.callback, *handle.args)
        elif owner.state == "frozen":
            owner.held.append(handle)

    def freeze(self, owner: Owner) -> None:
        """SIGSTOP: nothing of it runs until `thaw`."""
        if owner.state == "alive":
            owner.state = "frozen"

    def thaw(self, owner: Owner) -> None:
        """SIGCONT: everything that fell due meanwhile is run, in its order."""
        if owner.state == "frozen":
            owner.state = "alive"
            self._ready.extend(owner.held)
            owner.held = []

    def kill(self, owner: Owner) -> None:
        """SIGKILL."""
        owner.state = "dead"
        owner.held = []
