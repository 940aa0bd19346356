"""Questions why a record is about whom it is about, and a merge until the feeds tell of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import grpc.aio

from bench import accounting, ours
from bench.arrivals import FEEDS, Arrivals
from bench.backlog import Doors
from bench.checks import equal
from bench.latency import percentiles
from bench.rig import Rig
from bench.workload import Run
from deploy.local.layout import SERVICES
from services.cli import identity_queries


async def explain(rig: Rig, records: Sequence[tuple[bytes, str]], questions: int) -> dict[str, Any]:
    """One question after the other why a record is about whom it is about; by which rule is checked."""
    from credit.identity.v1 import identity_pb2 as pb
    from credit.identity.v1 import identity_pb2_grpc as pb_grpc

    times: list[float] = []
    before = accounting.snapshot()
    async with grpc.aio.insecure_channel(rig.layout.address("identity.grpc")) as door:
        stub: Any = pb_grpc.IdentityStub(door)
        for n in range(questions):
            record_id, rule = records[n % len(records)]
            asked = time.monotonic()
            found = await stub.Explain(pb.ExplainRequest(record_id=record_id.hex()), timeout=30)
            times.append(time.monotonic() - asked)
            equal("explain: the rule", (found.rule, bool(found.features)), (rule, True))
    return {**percentiles(times), **_foreign(rig, before)}


def _foreign(rig: Rig, before: accounting.Snapshot) -> dict[str, float]:
    """What others used since: above 0.2 a figure is noisy."""
    return {"foreign_cores": round(rig.usage(before, accounting.snapshot()).foreign_cores, 2)}


def merge(rig: Rig, doors: Doors, run: Run, into: str, gone: str) -> dict[str, Any]:
    """From the order to the last line that tells of it on both feeds: each record taken away and given again."""
    rig.only(*SERVICES)
    first = Arrivals(rig)
    try:
        doors.publish(run.messages)
        first.wait(len(run.messages), run.accepted, FEEDS)
    finally:
        first.close()
    ours.drain(rig)
    arrivals, before, began = Arrivals(rig), accounting.snapshot(), time.time_ns() / 1e9
    try:
        done = identity_queries.order(rig.layout, "merge_subjects", "", into=into, gone=gone, reason="bench")
        decided = time.time_ns() / 1e9 - began
        _wait_for(arrivals, 2 * done["records"])
        noise = _foreign(rig, before)
        last = max(_told(arrivals, feed, done) for feed in FEEDS)
    finally:
        arrivals.close()
    return {"records": done["records"], "decided_s": round(decided, 2), "told_s": round(last - began, 2), **noise}


def _wait_for(arrivals: Arrivals, lines: int) -> None:
    """Until both feeds have so many lines."""
    for feed in FEEDS:
        arrivals.wait(0, lines, [feed])


def _told(arrivals: Arrivals, feed: str, done: dict[str, Any]) -> float:
    """When the last line came (s since 1970); each record must be told twice, the last time for who stands now."""
    stage, changes = arrivals.changes(feed)
    equal("merge: lines of a feed", stage.messages, 2 * done["records"])
    stands = {change.record_id for change in changes if change.subject_id.hex() == done["subject_id"]}
    equal("merge: records told of who stands for both", len(stands), done["records"])
    return stage.last
