"""F2, F3, F4, F5, F10, BACKLOG: processes that end, freeze, come and go."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from deploy.local import kafka_admin
from deploy.local.layout import SERVICES
from tests.chaos.fault import Measured, fault, require
from tests.chaos.ground import Ground, until
from tests.chaos.kills import gone, log_end, log_since


@fault("F2", "SIGTERM in a batch", "SIGTERM to each service under load", "I1–I8, exit 0 within 10 s", 10, quick=True)
def terminated(ground: Ground, chance: random.Random) -> Measured:
    """Each service is asked to end; it must end by itself, in good order, in time."""
    measured, slowest = Measured(), 0.0
    for name in SERVICES:
        time.sleep(chance.random())
        mark = log_end(ground)
        since = time.monotonic()
        pid = ground.signal(name, signal.SIGTERM)
        until(lambda p=pid: gone(p), f"{name} ends", 15, 0.02)
        slowest = max(slowest, time.monotonic() - since)
        said = until(
            lambda n=name, m=mark: (t := log_since(ground, m)) and f"exited: {n}" in t and t, f"{name} is seen"
        )
        require(f"exited: {name} (exit status 0" in said, f"{name} did not end with 0: {said.splitlines()[0]}")
        measured.recovery.append(ground.recovery([name], time.monotonic()))
    require(slowest <= 10, f"the slowest took {slowest:.1f} s to end")
    measured.note = f"slowest end {slowest:.1f} s"
    return measured


@fault("F3", "a frozen worker wakes after its lanes moved",
       "second workers started, the first of every service SIGSTOP until its lanes have moved, at least 12 s; SIGCONT",
       "I1–I5", 15, quick=False)  # fmt: skip
def frozen(ground: Ground, chance: random.Random) -> Measured:
    """Every first worker freezes; the second ones take over; the first ones wake as zombies."""
    fenced = {name: ground.metric(name, "credit_lane_fenced_total") for name in SERVICES}
    with ground.second_workers() as seconds:
        pids = [ground.pid(name) for name in SERVICES]
        try:
            for pid in pids:
                time.sleep(chance.random() / 4)
                os.kill(pid, signal.SIGSTOP)
            stopped = time.monotonic()
            took = ground.recovery(seconds, stopped, 60)
            time.sleep(max(0.0, 12 - took))
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        woken = time.monotonic()
        measured = Measured([ground.recovery(SERVICES, woken)], f"taken over after {took:.1f} s")
    more = sum(ground.metric(name, "credit_lane_fenced_total") - fenced[name] for name in SERVICES)
    measured.note += f", {more:.0f} batches fenced off"
    return measured


@fault("F4", "broker kill -9 and restart", "SIGKILL by pid, the supervisor starts it", "I1–I5", 30, quick=True)
def broker_killed(ground: Ground, chance: random.Random) -> Measured:
    """The broker dies under load and comes back."""
    time.sleep(chance.random() * 2)
    old = ground.signal("kafka", signal.SIGKILL)
    since = time.monotonic()
    until(lambda: ground.pid("kafka") not in (0, old), "the broker starts")
    return Measured([ground.recovery(SERVICES, since)])


@fault("F5", "broker away for minutes", "the broker stopped for 60 s (DOWN= seconds); then started",
       "I1–I5, /readyz 503, memory bounded (I11)", 60)  # fmt: skip
def broker_away(ground: Ground, chance: random.Random) -> Measured:
    """Nobody is ready, nobody grows, everything goes on afterwards."""
    down = float(os.environ.get("DOWN", "60"))
    before = {name: resident(ground, name) for name in SERVICES}
    ground.supervisor.stop(["kafka"])
    until(lambda: not any(map(ground.ready, SERVICES)), "nobody says that it is ready", 45)
    time.sleep(down)
    grown = max(resident(ground, name) - before[name] for name in SERVICES)
    require(grown < 50, f"a service grew by {grown} MB while the broker was away")
    ground.supervisor.begin("kafka")
    until(lambda: kafka_admin.ready(ground.layout), "the broker is back")
    return Measured([ground.recovery(SERVICES, time.monotonic())], f"grown by at most {grown} MB in {down:.0f} s")


@fault("F10", "rebalance storm", "second workers of all services join and leave every 3 s for 60 s", "I1–I5, order", 20)
def rebalances(ground: Ground, chance: random.Random) -> Measured:
    """Members come and go faster than a rebalance ends."""
    seconds = [f"{name}-1" for name in SERVICES]
    over = time.monotonic() + 60
    rounds = 0
    while time.monotonic() < over:
        for name in seconds:
            ground.supervisor.begin(name)
        time.sleep(3)
        chance.shuffle(seconds)
        for name in seconds[:3]:
            if pid := ground.pid(name):
                os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGTERM)))
        time.sleep(3)
        rounds += 1
    ground.supervisor.stop(seconds)
    return Measured([ground.recovery(SERVICES, time.monotonic())], f"{rounds} rounds")


@fault("BACKLOG", "200,000 submissions that waited for the services",
       "all services stopped, 200,000 submissions published (BACKLOG= another number), all services started",
       "I1–I8", 300, rate=0)  # fmt: skip
def backlog(ground: Ground, chance: random.Random) -> Measured:
    """What was sent while nobody was there; seconds from the start of the services until all of it is read."""
    many = int(os.environ.get("BACKLOG", "200000"))
    ground.supervisor.stop(SERVICES)
    ground.load.publish(many)
    ground.load.rest()
    since = time.monotonic()
    for name in SERVICES:
        ground.supervisor.begin(name)
    took = ground.recovery(SERVICES, since, 600)
    return Measured([took], f"{many} drained at {many / took:.0f} a second")


def resident(ground: Ground, name: str) -> int:
    """MB of a service."""
    pid = ground.pid(name)
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
