"""Kills each service once with SIGKILL while records flow; the supervisor starts it again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

from deploy.local import state
from deploy.local.layout import SERVICES, Layout


class Killer:
    """`kill_next` kills one service more, until each had its turn."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._left: Iterator[str] = iter(SERVICES)
        self.killed: list[str] = []

    def kill_next(self) -> None:
        """Nothing happens when all had their turn."""
        name = next(self._left, None)
        pids = {program.name: program.pid for program in state.read(self._layout)}
        if name is not None and pids.get(name):
            os.kill(pids[name], signal.SIGKILL)
            self.killed.append(name)

    def kill_rest(self) -> None:
        """Those that are left, whatever flows."""
        while len(self.killed) < len(SERVICES):
            before = len(self.killed)
            self.kill_next()
            if len(self.killed) == before:
                return
