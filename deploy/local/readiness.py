"""Asks each program whether it can do its work."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable

from deploy.local import kafka_admin, postgres, registry
from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from deploy.local.programs import Program
from deploy.local.supervisor import Supervisor
from deploy.local.supervisor_file import log_of

PATIENCE_S = 60.0
CRASHING_S = 12.0  # so long may a program fall over at its start, e.g. because its predecessor is still ending
PAUSE_S = 0.1


def is_ready(layout: Layout, program: Program) -> bool:
    """One question, one answer."""
    asked: dict[str, Callable[[Layout], bool]] = {
        "postgres": postgres.ready,
        "kafka": kafka_admin.ready,
        "registry": registry.ready,
        "national": lambda layout: _listens(layout.port("national")),
        "prometheus": lambda layout: _answers(f"http://{layout.address('prometheus')}/-/ready"),
    }
    ask = asked.get(program.name)
    return ask(layout) if ask else _answers(f"http://127.0.0.1:{program.ports[0]}/readyz")


def wait_until_ready(layout: Layout, supervisor: Supervisor, program: Program, abandoned: threading.Event) -> None:
    """Raises `StackFault` if the program falls over or does not come up in time, or if the others gave up."""
    began = time.monotonic()
    crashing_since: float | None = None
    while not is_ready(layout, program):
        if abandoned.is_set():
            raise StackFault(f"{program.name} was not waited for: credit up")
        now = time.monotonic()
        state = supervisor.processes()[program.name]["statename"]
        if state == "RUNNING":
            crashing_since = None
        elif state != "STARTING" and crashing_since is None:
            crashing_since = now
        if now - began > PATIENCE_S or (crashing_since is not None and now - crashing_since > CRASHING_S):
            raise StackFault(
                f"{program.name} does not come up ({last_line(layout, program.name)}): credit logs {program.name}"
            )
        time.sleep(PAUSE_S)


def last_line(layout: Layout, name: str) -> str:
    """The last thing a program said."""
    try:
        lines = log_of(layout, name).read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    # Lines of a stack trace are indented; what matters stands before them.
    telling = [line for line in lines if line.strip() and not line[0].isspace()]
    return telling[-1][:200] if telling else "it wrote nothing"


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own
            return answer.status == 200
    except (OSError, ValueError):
        return False
