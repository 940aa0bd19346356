"""`make bench-query`: gRPC look-ups with a million subjects and five million records, by code, single and in batches.

The store is filled with copies of rows that the service wrote itself (query_fill.py); only look-ups are measured. The
client shares the cores, so each rate is told with the CPU a look-up costs server, PostgreSQL and client, and with what
others used meanwhile. Every answer must have its audit row, and the chain of those must hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio

from bench import accounting, ours
from bench import rig as rigs
from bench.backlog import Doors
from bench.checks import equal
from bench.latency import percentiles
from bench.query_fill import Filled, Tell, agree, fill, subject_id
from bench.rig import Rig, item_schema
from bench.workload import Workload, encoder
from services.cli.synthetic.chance import source

BATCH = 200  # the most that one question may hold
SIZES = {"single": 1, "batch": BATCH}
GENUINE = 3_000  # submissions that go the whole road first
PARTS = {"server": "disclosure", "postgres": "postgres", "client": "harness"}
AUDITED = "SELECT count(*) FROM audit"
UNCHAINED = """
SELECT count(*) FROM (
    SELECT seq, prev_hash, lag(seq, 1, 0::bigint) OVER w AS seq_before,
        lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER w AS hash_before
    FROM audit WINDOW w AS (PARTITION BY chain ORDER BY seq)) AS linked
WHERE seq <> seq_before + 1 OR prev_hash <> hash_before
"""
Ask = Callable[[int], Awaitable[int]]


async def load(rig: Rig, ask: Ask, concurrency: int, seconds: float) -> dict[str, Any]:
    """So many askers, each asking its next question when the last is answered."""
    times: list[float] = []
    answered, before = 0, accounting.snapshot()
    end = time.monotonic() + seconds

    async def one(number: int) -> None:
        nonlocal answered
        question = number
        while time.monotonic() < end:
            asked = time.monotonic()
            subjects = await ask(question)
            answered += subjects  # not in one line: it would add to what was read before the wait
            times.append(time.monotonic() - asked)
            question += concurrency

    await asyncio.gather(*(one(n) for n in range(concurrency)))
    used = rig.usage(before, accounting.snapshot())
    return {
        "per_s": round(len(times) / used.seconds, 1),
        "subjects_per_s": round(answered / used.seconds, 1),
        **percentiles(times),
        "cpu_us_per_subject": {part: round(1e6 * used.cpu_s[name] / answered, 1) for part, name in PARTS.items()},
        "foreign_cores": round(used.foreign_cores, 2),
    }


def askers(stub: Any, inquiry: Any, filled: Filled) -> tuple[Ask, Ask]:
    """A single question and a batch of them; both check whom they are told of, and how many records he has."""
    from credit.disclosure.v1 import disclosure_pb2 as pb

    chance, right = source(1, "questions"), (filled.per_subject, "")
    ids = [subject_id(n).hex() for n in range(len(filled.codes))]
    order = [chance.randrange(len(ids)) for _ in range(1_000_000)]

    def key(number: int) -> Any:
        return pb.SubjectKey(code=pb.Code(kind="uscc", code=filled.codes[order[number % len(order)]]))

    async def single(number: int) -> int:
        question = pb.GetSubjectRequest(inquiry=inquiry, subject=key(number))
        found = (await stub.GetSubject(question, timeout=30)).subject
        told = found.subject_id, found.records
        equal("query: the subject", told, (ids[order[number % len(order)]], filled.per_subject))
        return 1

    async def batch(number: int) -> int:
        numbers = range(number * BATCH, (number + 1) * BATCH)
        question = pb.BatchGetSubjectRequest(inquiry=inquiry, subjects=map(key, numbers))
        found = (await stub.BatchGetSubject(question, timeout=60)).answers
        told = [(a.subject.subject_id, a.subject.records, a.fault) for a in found]
        equal("query: the subjects", told, [(ids[order[n % len(order)]], *right) for n in numbers])
        return BATCH

    return single, batch


async def measure(rig: Rig, subjects: int, records: int, seconds: float, tell: Tell) -> dict[str, Any]:
    """Rates, times and costs by concurrency; the audit rows counted against the answers, and their chain."""
    from credit.disclosure.v1 import disclosure_pb2 as pb
    from credit.disclosure.v1 import disclosure_pb2_grpc as pb_grpc

    store = await rig.connect("disclosure")
    inquiry = pb.Inquiry(channel=pb.CHANNEL_PUBLIC, caller="bench", purpose="bench: look-ups")
    try:
        began = time.monotonic()
        filled = await fill(store, subjects, records, tell)
        await rig.rest()
        tell(f"{subjects:,} subjects and {records:,} records stand after {time.monotonic() - began:.0f} s")
        found: dict[str, Any] = {"subjects": subjects, "records": records, "single": {}, "batch": {}}
        async with grpc.aio.insecure_channel(rig.layout.address("disclosure.grpc")) as door:
            stub: Any = pb_grpc.DisclosureStub(door)
            await agree(stub, inquiry, filled)
            audited, answers = await store.fetchval(AUDITED), 0
            for (name, size), ask in zip(SIZES.items(), askers(stub, inquiry, filled), strict=True):
                for concurrency in (1, 8, 32):
                    measured = found[name][str(concurrency)] = await load(rig, ask, concurrency, seconds)
                    answers += measured["count"] * size
                    tell(f"{name}, {concurrency} at once: {json.dumps(measured)}")
        equal("query: audit rows = answers", await store.fetchval(AUDITED) - audited, answers)
        equal("query: links of the audit chain that do not hold", await store.fetchval(UNCHAINED), 0)
        return {**found, "audit_rows": answers}
    finally:
        await store.close()


def main() -> None:
    """On a stack of its own, of whose services only disclosure runs once there are rows to copy."""
    began, quick = time.monotonic(), rigs.quick()
    subjects = int(float(os.environ.get("SUBJECTS", "20000" if quick else "1000000")))
    records = int(float(os.environ.get("RECORDS", "100000" if quick else "5000000")))

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {line}\n")
        sys.stdout.flush()

    with rigs.standing(tell) as rig:
        workload = Workload(GENUINE, encoder(*item_schema(rig)), time.time_ns() // 1_000_000 - rigs.HOUR_MS)
        ours.warm_up(rig, Doors(rig), workload.run(1))
        rig.only("disclosure")
        found = asyncio.run(measure(rig, subjects, records - records % subjects, 4.0 if quick else 20.0, tell))
    file = rigs.results() / "query.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    tell("every answer has its audit row; the same as JSON: var/bench/query.json")


if __name__ == "__main__":
    main()
