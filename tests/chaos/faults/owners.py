"""F21: two owners of the same lanes publish at once."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from deploy.local.layout import SERVICES
from tests.chaos.fault import Measured, fault
from tests.chaos.ground import Ground, until
from tests.chaos.reading import ask

POINTS = ("cp5", "cp6")  # after COMMIT: nothing published yet, half of it published
EPOCHS = "SELECT sum(epoch)::bigint FROM lanes"


@fault("F21", "two owners publish at once", "each service frozen (SIGSTOP) after COMMIT, with nothing or half "
       "published; the second worker takes the lanes over; SIGCONT in the moment in which it publishes the same again",
       "no reorder, no loss, repeats byte for byte and dropped, I1–I8", 30)  # fmt: skip
def two_owners(ground: Ground, chance: random.Random) -> Measured:
    """The old owner says the end of its batch while the new one says all of it, and goes on to what follows."""
    measured, fenced = Measured(), 0.0
    for service in chance.sample(SERVICES, len(SERVICES)):
        pid = _frozen(ground, service, f"{service}:{chance.choice(POINTS)}:{chance.randint(1, 5)}:stop")
        second, before = f"{service}-1", _epochs(ground, service)
        ground.supervisor.begin(second)
        try:
            until(lambda s=service, b=before: _epochs(ground, s) > b, f"{second} takes the lanes", 60, 0.02)
        finally:
            os.kill(pid, signal.SIGCONT)
        woken = time.monotonic()
        until(lambda n=second: ground.ready(n), f"{second} is ready", 60)
        until(lambda n=service: ground.ready(n), f"{service} is ready again", 60)
        fenced += ground.metric(service, "credit_lane_fenced_total")
        ground.supervisor.stop([second])
        measured.recovery.append(ground.recovery([service], woken))
    measured.note = f"{fenced:.0f} batches fenced off"
    return measured


def _frozen(ground: Ground, service: str, where: str) -> int:
    """The pid of the service, stopped at a crash point."""
    pid_file = ground.order(service, {"CREDIT_CRASH_AT": where})
    ground.restart(service)
    pid = int(until(lambda: pid_file.exists() and pid_file.read_text(), f"{service} starts armed"))
    until(lambda: _state(pid) == "T", f"{where} is reached", 90, 0.02)
    return pid


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _epochs(ground: Ground, service: str) -> int:
    return ask(ground.doors, [(service, EPOCHS)])[0][0][0]
