"""`make bench-latency`: open loop. The schedule is fixed; every time counts from when a record should have been sent.

Three moments: the receipt is read, the line of the public feed is read, and disclosure's gRPC answers with the record
(asked again and again for a sample, every 5 ms). At 50 and 400 records/s and at 70 % of the maximum: RATE= if given,
else what `make bench` found end to end.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
from confluent_kafka import Consumer, TopicPartition

from bench import rig as rigs
from bench.arrivals import FEEDS, HEAD, read_change, read_receipt
from bench.backlog import Doors
from bench.checks import equal
from bench.ours import warm_up
from bench.rig import HOUR_MS, Rig, item_schema
from bench.workload import AGENCIES, Run, Workload, encoder, record_id, submission_id
from services.cli.outsider import OPERATOR, Reader, settings

LEAD_S = 3.0  # at the beginning, published but not counted
SAMPLES_PER_S = 4
ASK_EVERY_S = 0.005
PATIENCE_S = 60.0
Times = dict[Any, float]


class Listener:
    """Reads receipts and the public feed in a thread, and notes when each came."""

    def __init__(self, rig: Rig) -> None:
        with Reader(rig.layout) as reader:
            ends = reader.ends([*rigs.receipt_topics(), FEEDS[0]])
        wanted = {"group.id": OPERATOR, "enable.auto.commit": False, "fetch.wait.max.ms": 5}
        self._consumer: Any = Consumer(settings(rig.layout, OPERATOR) | wanted)
        self._consumer.assign([TopicPartition(*place, offset) for place, offset in ends.items()])
        self.receipts: Times = {}
        self.changes: Times = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="listener")
        self._thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            # `consume` alone would wait for its whole time limit, unless that many are there: 10 ms on average.
            first = self._consumer.poll(0.1)
            messages = [first, *self._consumer.consume(1000, 0)] if first is not None else []
            now = time.monotonic()
            for message in messages:
                value = message.value() or b""
                if message.topic() == FEEDS[0]:
                    _, _, _, record, version, _ = read_change(value, HEAD)
                    self.changes.setdefault((record, version), now)
                else:
                    self.receipts.setdefault(read_receipt(value, HEAD)[0], now)

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()


def probe(rig: Rig, run: Run, rate: float) -> dict[str, Any]:
    """Percentiles in ms by stage for a run that is published at `rate` records/s; every record must arrive."""
    return asyncio.run(_probe(rig, run, rate))


async def _probe(rig: Rig, run: Run, rate: float) -> dict[str, Any]:
    listener = Listener(rig)
    try:
        await asyncio.sleep(1)
        begin = time.monotonic() + 0.5
        due = [begin + n / rate for n in range(len(run.messages))]
        visible, lag = await _publish(rig, run, due)
        await _all_there(listener, run)
    finally:
        listener.close()
    counted = [n for n, at in enumerate(due) if at >= begin + LEAD_S]
    versions = _versions(run)
    receipts = [listener.receipts[submission_id(run.mark, n)] - due[n] for n in counted]
    changes = [listener.changes[versions[n]] - due[n] for n in counted if n in versions]
    seen = [at - due[n] for n, at in visible.items() if due[n] >= begin + LEAD_S]
    stages = {"receipt": receipts, "change": changes, "visible": seen}
    return {"asked_per_s": rate, "latest_send_ms": 1e3 * lag, **{name: percentiles(v) for name, v in stages.items()}}


async def _publish(rig: Rig, run: Run, due: Sequence[float]) -> tuple[dict[int, float], float]:
    """Send what is due; the moments at which the sampled records were visible, and how late the sender was at most."""
    doors = Doors(rig, AGENCIES, **{"linger.ms": 0, "batch.num.messages": 10_000})
    sampled, asking, late, n = _sample(run, due), list[asyncio.Task[tuple[int, float]]](), 0.0, 0
    async with grpc.aio.insecure_channel(rig.layout.address("disclosure.grpc")) as door:
        while n < len(due):
            now = time.monotonic()
            while n < len(due) and due[n] <= now:
                agency, key, value = run.messages[n]
                doors.queue(agency, f"credit.submit.{agency}.v1", key, value)
                late = max(late, now - due[n])
                if n in sampled:
                    asking.append(asyncio.create_task(_visible(door, n, sampled[n])))
                n += 1
            doors.poll()
            await asyncio.sleep(max(0.0, min(0.001, due[min(n, len(due) - 1)] - time.monotonic())))
        doors.finish()
        found = dict(await asyncio.gather(*asking))
    return found, late


def _sample(run: Run, due: Sequence[float]) -> dict[int, tuple[str, int]]:
    """Submission -> the subject's code and how many records it then has: evenly spread, only first reports."""
    found: dict[int, tuple[str, int]] = {}
    counted: Counter[str] = Counter()
    versions, next_at = _versions(run), 0.0
    for n, code in enumerate(run.subjects()):
        if n not in versions or versions[n][1] > 1 or not code:
            continue
        counted[code] += 1
        if due[n] >= next_at:
            found[n], next_at = (code, counted[code]), due[n] + 1 / SAMPLES_PER_S
    return found


async def _visible(door: grpc.aio.Channel, number: int, wanted: tuple[str, int]) -> tuple[int, float]:
    from credit.disclosure.v1 import disclosure_pb2 as pb
    from credit.disclosure.v1 import disclosure_pb2_grpc as pb_grpc

    stub: Any = pb_grpc.DisclosureStub(door)
    inquiry = pb.Inquiry(channel=pb.CHANNEL_PUBLIC, caller="bench", purpose="bench: when is it visible")
    question = pb.GetSubjectRequest(inquiry=inquiry, subject=pb.SubjectKey(code=pb.Code(kind="uscc", code=wanted[0])))
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if (await stub.GetSubject(question, timeout=10)).subject.records >= wanted[1]:
                return number, time.monotonic()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
        await asyncio.sleep(ASK_EVERY_S)
    raise SystemExit(f"CHECK FAILED visible: submission {number} is not shown after {PATIENCE_S:.0f} s")


async def _all_there(listener: Listener, run: Run) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(listener.receipts) < len(run.messages) or len(listener.changes) < run.accepted:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    equal("latency: receipts", len(listener.receipts), len(run.messages))
    equal("latency: changes", len(listener.changes), run.accepted)


def _versions(run: Run) -> dict[int, tuple[bytes, int]]:
    """Accepted submission -> the version it makes."""
    counted: Counter[bytes] = Counter()
    found: dict[int, tuple[bytes, int]] = {}
    for n, (message, outcome) in enumerate(zip(run.messages, run.outcomes, strict=True)):
        if outcome == "ACCEPTED":
            record = record_id(message.agency, message.key.decode())
            counted[record] += 1
            found[n] = record, counted[record]
    return found


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99, p99.9 and the most in ms, and how many were counted."""
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0}
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    found = {name: 1e3 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] for name, part in at.items()}
    return {
        "count": len(ordered),
        **{name: round(ms, 2) for name, ms in found.items()},
        "max": round(1e3 * ordered[-1], 2),
    }


def maximum() -> float:
    """Records/s end to end: RATE, or what the last `make bench` found."""
    if os.environ.get("RATE"):
        return float(os.environ["RATE"])
    file = rigs.results() / "report.json"
    if not file.exists():
        raise SystemExit("the maximum is not known: make bench first, or give RATE=records/s")
    return float(json.loads(file.read_text())["records_per_s"]["end_to_end"]["median"])


def keep(found: Mapping[str, Any]) -> None:
    """Write var/bench/latency.json, and put the same into the report."""
    folder = rigs.results()
    (folder / "latency.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    file = folder / "report.json"
    if file.exists():
        report = json.loads(file.read_text())
        report["latency_ms"] = {**report["latency_ms"], **found}
        file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """On a stack of its own."""
    began, most = time.monotonic(), maximum()
    seconds = 8.0 if rigs.quick() else 60.0
    rates = {"50": 50.0, "400": 400.0, "70%": 0.7 * most}

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {line}\n")
        sys.stdout.flush()

    with rigs.standing(tell) as rig:
        count = int(max(rates.values()) * (seconds + LEAD_S)) + 1
        workload = Workload(max(count, 3000), encoder(*item_schema(rig)), time.time_ns() // 1_000_000 - HOUR_MS)
        warm_up(rig, Doors(rig), workload.run(1, 3000))
        found: dict[str, Any] = {}
        for number, (name, rate) in enumerate(rates.items(), 2):
            found[name] = probe(rig, workload.run(number, int(rate * (seconds + LEAD_S))), rate)
            tell(f"{name}: {json.dumps(found[name])}")
    keep(found)
    tell("the same as JSON: var/bench/latency.json, and latency_ms in var/bench/report.json")


if __name__ == "__main__":
    main()
