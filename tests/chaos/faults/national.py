"""F22: the national platform is away, refuses, loses its answers, talks nonsense."""

from __future__ import annotations

import json
import random
import ssl
import time
import urllib.request

from tests.chaos.fault import Measured, fault
from tests.chaos.ground import Ground, until
from tests.chaos.reading import ask

LASTS_S = 20.0
TOO_SLOW_MS = 25_000  # longer than the client waits: stored, and nobody is told
STORM = {"fail_rate": 0.2, "lose_rate": 0.2, "garbage_rate": 0.1, "limit_rate": 0.1, "busy_rate": 0.2}
CALM = {"fail_rate": 0.0, "lose_rate": 0.0, "garbage_rate": 0.0, "limit_rate": 0.0, "busy_rate": 0.0, "delay_ms": 0}
TRIED_AGAIN = "SELECT count(*) FROM exchanges WHERE attempt > 1"


def behave(ground: Ground, **changes: float) -> None:
    """Tell the simulator how to behave from now on."""
    trusted = ssl.create_default_context(cafile=str(ground.layout.var / "national" / "ca.pem"))
    request = urllib.request.Request(ground.doors.national + "/v1/behaviour", json.dumps(changes).encode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, context=trusted, timeout=20) as answer:
        answer.read()


def _listens(ground: Ground) -> bool:
    try:
        behave(ground, **CALM)
    except OSError:
        return False
    return True


@fault("F22", "national platform misbehaves", f"stopped for {LASTS_S:.0f} s; then for as long 20 % of requests fail, "
       "20 % are stored and cut off, 10 % are stored and answered with HTML, 10 % get 429, 20 % of records told to "
       "come back; then answers slower than the client waits", "one final answer each, both sides equal (I7), I1–I8",
       120)  # fmt: skip
def misbehaving(ground: Ground, chance: random.Random) -> Measured:
    """Idempotency keys and a ledger: whatever the platform did with a request, it counts once."""
    ground.supervisor.stop(["national"])
    time.sleep(LASTS_S)
    ground.supervisor.begin("national")
    until(lambda: _listens(ground), "the simulator listens")
    behave(ground, seed=chance.randrange(10**6), **STORM)
    time.sleep(LASTS_S)
    retried = ask(ground.doors, [("national_sync", TRIED_AGAIN)])[0][0][0]
    behave(ground, **CALM | {"delay_ms": TOO_SLOW_MS})
    time.sleep(TOO_SLOW_MS / 1000)
    behave(ground, **CALM)
    since = time.monotonic()
    ground.load.rest()
    until(lambda: ground.verifier.behind()["national_sync"] == 0, "every exchange has its final answer", 180)
    return Measured([time.monotonic() - since], f"{retried} exchanges were waiting to be tried again")
