"""Ends a worker that is alive but stuck: it has lag, makes no progress, and nothing it needs is away (rule R7).

It counts in a thread of its own, so that a blocked event loop cannot starve it, and it counts its own ticks, not the
clock: a process that was suspended counts nothing meanwhile, and after a pause it begins anew. Ending is abrupt, like
a kill: the crash points prove that nothing is lost by it, and an orderly end could get stuck where the work did.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import NamedTuple

from services.chassis import logs

TICK_S = 1.0
LIMIT = 30  # ticks
PAUSE_S = 5.0  # a tick that took so long: suspended, or starved by the machine; what was counted proves nothing
ASKING = 4  # limits: longer than any answer is waited for
EXIT_CODE = 70  # EX_SOFTWARE


class Pulse(NamedTuple):
    """What the lane loop tells of itself, once a second and at each event."""

    beats: int = 0  # the event loop has turned
    moved: int = 0  # turns committed and published
    lag: int = 0  # messages waiting in lanes that are not stopped on purpose
    away: bool = False  # a Transient is open
    asking: bool = False  # an answer of database or broker is awaited; after a minute without one a Transient is


class Judge:
    """Looks at one pulse a tick; pure but for what it has seen."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was counted."""
        self._last = Pulse(-1, -1)
        self._silent = 0
        self._stuck = 0

    @property
    def stalled(self) -> int:
        """For how many ticks the worker has been silent or stuck."""
        return max(self._silent, self._stuck)

    def look(self, pulse: Pulse) -> str:
        """Why the worker must end; empty while it need not."""
        self._silent = self._silent + 1 if pulse.beats == self._last.beats else 0
        still = pulse.moved == self._last.moved and pulse.lag > 0 and not pulse.away
        # While the loop is silent its last words are old: they neither accuse nor excuse.
        self._stuck = self._stuck + (self._silent == 0) if still else 0
        self._last = pulse
        if self._silent >= self._limit:
            return "event_loop_blocked"
        return "no_progress" if self._stuck >= self._limit * (ASKING if pulse.asking else 1) else ""


class Watchdog:
    """A daemon thread; `pulse` is asked each tick, `show` told for how many seconds the worker has been stalled."""

    def __init__(self, pulse: Callable[[], Pulse], show: Callable[[float], None], limit: int = LIMIT) -> None:
        self._pulse = pulse
        self._show = show
        self._judge = Judge(limit)
        self._over = threading.Event()
        self._watched = threading.get_ident()

    def start(self) -> None:
        """Watch the thread that calls this."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """An orderly end takes as long as it takes; the supervisor has its own limit."""
        self._over.set()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._over.wait(TICK_S):
            now = time.monotonic()
            if now - before > PAUSE_S:
                self._judge.begin_anew()
            before = now
            why = self._judge.look(self._pulse())
            self._show(self._judge.stalled * TICK_S)
            if why:
                self._end(why)

    def _end(self, why: str) -> None:
        frame = sys._current_frames().get(self._watched)  # pyright: ignore[reportPrivateUsage] - documented, named so
        frames = traceback.extract_stack(frame)[-8:] if frame else []
        where = [f"{f.filename.rpartition('/services/')[2]}:{f.lineno} {f.name}" for f in frames]
        logs.warn("watchdog_ends_worker", why=why, seconds=self._judge.stalled * TICK_S, where=where)
        sys.stderr.flush()
        os._exit(EXIT_CODE)
