"""Our side of the benchmark: ingestion alone with one and two processes, and all five services end to end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bench import accounting, checks
from bench.accounting import Snapshot
from bench.arrivals import ACCEPTED, FEEDS, Arrivals
from bench.backlog import Doors
from bench.measured import Measured, measured
from bench.rig import Rig
from bench.workload import Run
from deploy.local.layout import SERVICES
from services.cli.demo.seen import EXCHANGE, LINKED

NATIONAL_PATIENCE_S = 900.0
WORKERS = ("ingestion", "ingestion-1")


def ingestion(rig: Rig, doors: Doors, run: Run, workers: int) -> Measured:
    """Ingestion alone, from its release before a backlog to its last receipt."""
    names = WORKERS[:workers]
    rig.only(*names)
    rig.settle("ingestion", workers)
    arrivals = Arrivals(rig)
    try:
        before, released = _release(rig, doors, run, names)
        arrivals.wait(len(run.messages), run.accepted, [ACCEPTED])
        after = accounting.snapshot()
        stage, found = arrivals.receipts()
    finally:
        arrivals.close()
    checks.receipts(run, found)
    asyncio.run(_check_ingestion(rig, run))
    return measured(rig, len(run.messages), stage.last - released, (before, after))


def _release(rig: Rig, doors: Doors, run: Run, names: tuple[str, ...]) -> tuple[Snapshot, float]:
    """Publish while these are held; the accounts and the moment (s since 1970) of their release."""
    asyncio.run(rig.rest())
    with rig.held(*names):
        doors.publish(run.messages)
        before = accounting.snapshot()
        released = time.time_ns() / 1e9
    return before, released


async def _check_ingestion(rig: Rig, run: Run) -> None:
    connection = await rig.connect("ingestion")
    try:
        await checks.records(run, connection)
    finally:
        await connection.close()


def end_to_end(rig: Rig, doors: Doors, run: Run) -> Measured:
    """All five services, from the release of ingestion to the last change event; the exchanges are waited for too."""
    rig.only(*SERVICES)
    rig.settle("ingestion", 1)
    drain(rig)
    arrivals = Arrivals(rig)
    try:
        before, released = _release(rig, doors, run, ("ingestion",))
        arrivals.wait(len(run.messages), run.accepted, [ACCEPTED, LINKED, *FEEDS])
        drain(rig)
        after = accounting.snapshot()
        times, last = _check_topics(arrivals, run)
    finally:
        arrivals.close()
    asyncio.run(_check_stores(rig, run))
    stages = {name: len(run.messages) / (at - released) for name, at in times.items()}
    return measured(rig, len(run.messages), last - released, (before, after), stages_per_s=stages)


def _check_topics(arrivals: Arrivals, run: Run) -> tuple[dict[str, float], float]:
    """When each stage had everything, and the last of the feeds."""
    stage, found = arrivals.receipts()
    checks.receipts(run, found)
    times = {"receipt": stage.last}
    for name, topic in (("accepted", ACCEPTED), ("linked", LINKED)):
        times[name] = (there := arrivals.stage(topic)).last
        checks.equal(f"{topic}: one message per version", there.messages, run.accepted)
    for feed in FEEDS:
        stage, changes = arrivals.changes(feed)
        checks.feed(run, changes)
        times[feed.split(".")[2]] = stage.last
    last = max(times.values())
    return times | {"national": arrivals.stage(EXCHANGE).last}, last


async def _check_stores(rig: Rig, run: Run) -> None:
    roles = ("ingestion", "identity", "disclosure", "national_sync")
    connections = [await rig.connect(role) for role in roles]
    try:
        await checks.records(run, connections[0])
        await checks.downstream(run, *connections[1:])
    finally:
        for connection in connections:
            await connection.close()


def drain(rig: Rig) -> None:
    """Wait until nothing is under way: no topic grows, and no exchange with the national platform is pending."""
    asyncio.run(_drain(rig))


async def _drain(rig: Rig) -> None:
    connection: Any = await rig.connect("national_sync")
    arrivals, still, deadline = Arrivals(rig), 0, time.monotonic() + NATIONAL_PATIENCE_S
    try:
        length = -1
        while still < 3:
            if time.monotonic() > deadline:
                raise SystemExit("CHECK FAILED drain: the services do not come to rest; see the logs")
            await asyncio.sleep(0.5)
            grown = sum(arrivals.grown().values())
            open_ones = await connection.fetchval(
                "SELECT count(*) FROM exchanges WHERE state IN ('PENDING', 'RETRYING')"
            )
            still = still + 1 if grown == length and not open_ones else 0
            length = grown
    finally:
        arrivals.close()
        await connection.close()


def warm_up(rig: Rig, doors: Doors, run: Run) -> None:
    """The first records: schemas, plans and pages are fetched outside any measurement."""
    rig.only(*SERVICES)
    rig.settle("ingestion", 1)
    arrivals = Arrivals(rig)
    try:
        doors.publish(run.messages)
        arrivals.wait(len(run.messages), run.accepted, FEEDS)
    finally:
        arrivals.close()
    drain(rig)
