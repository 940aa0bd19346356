"""Places where a test may kill the process: `CREDIT_CRASH_AT=service:cp:n` kills it at the n-th pass of cp.

`service:cp:n:stop` freezes it there instead (SIGSTOP), once: whoever sends SIGCONT lets it go on from this very place.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping

FORM = re.compile(r"([a-z_]+):(cp(?:10|[1-9])):([1-9]\d*)(:stop)?")

_remaining: dict[str, tuple[int, signal.Signals]] = {}


def arm(environment: Mapping[str, str], service: str) -> None:
    """Arm the point the variable names, if it names this service; a wrong variable is reported by the settings."""
    _remaining.clear()
    found = FORM.fullmatch(environment.get("CREDIT_CRASH_AT", ""))
    if found and found[1] == service:
        _remaining[found[2]] = int(found[3]), signal.SIGSTOP if found[4] else signal.SIGKILL


def crashpoint(name: str) -> None:
    """Kill or freeze this process if a test asked for it here."""
    if _remaining and name in _remaining:
        passes, number = _remaining.pop(name)
        if passes > 1:
            _remaining[name] = passes - 1, number
        else:
            os.kill(os.getpid(), number)


# At import, so that no command of a service (run, migrate, replay) can forget it.
arm(os.environ, os.environ.get("CREDIT_SERVICE", ""))
