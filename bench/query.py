"""`make bench-query`: gRPC look-ups with a million subjects and five million records, by code, single and in batches.

The rows are written straight into disclosure's store, not through the services: only the look-ups are measured. The
client shares the cores. Every answer must have its audit row.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc.aio

from bench import rig as rigs
from bench.checks import equal
from bench.latency import percentiles
from bench.rig import Connection, Rig
from services.cli.synthetic.chance import source
from services.cli.synthetic.codes import ORGANISATION, new_org_code
from services.kernel import uscc

CHUNK = 50_000
BATCH = 200  # the most that one question may hold
ID = "decode(md5('subject ' || {n}), 'hex')"
SUBJECTS = f"""
INSERT INTO subjects (subject_id, version, kind, name, code_kinds, codes, changed_at)
SELECT {ID.format(n="n")}, 1, 'org', '演示查询企业' || n, ARRAY['uscc'], ARRAY[code], 1700000000000
FROM unnest($1::int[], $2::text[]) AS given (n, code)
"""  # noqa: S608 - constants
CODES = f"""
INSERT INTO subject_codes (kind, code, subject_id)
SELECT 'uscc', code, {ID.format(n="n")} FROM unnest($1::int[], $2::text[]) AS given (n, code)
"""  # noqa: S608 - constants
FILES = f"""
INSERT INTO subject_files (subject_id, public_seq, government_seq)
SELECT {ID.format(n="n")}, $2, $2 FROM unnest($1::int[]) AS given (n)
"""  # noqa: S608 - constants
RECORDS = f"""
INSERT INTO disclosed_records (subject_id, record_id, version, in_public, in_government, item, item_version, agency,
    submission_id, subject_code, subject_name, decided_on, accepted_at, fields, changed_at)
SELECT {ID.format(n="r % $3")}, decode(md5('record ' || r), 'hex'), 1, true, true, 'org-permit', 1, '420000-gsj',
    'fill-' || r, NULL, NULL, DATE '2019-01-01', 1700000000000, decode(repeat(md5(r::text), 16), 'hex'), 1700000000000
FROM generate_series($1::int, $2::int) AS r
"""  # noqa: S608 - constants; the fields are only counted, never shown, by these questions
Ask = Callable[[int], Awaitable[int]]


async def fill(connection: Connection, subjects: int, records: int, tell: Callable[[str], None]) -> list[str]:
    """The subjects' codes, in order; the rows have the keys that the services give them."""
    chance, taken, codes = source(records, "query"), set[str](), list[str]()
    await connection.execute("SET statement_timeout = 0; SET synchronous_commit = off")
    for begin in range(0, subjects, CHUNK):
        numbers = list(range(begin, min(begin + CHUNK, subjects)))
        new = [uscc.complete(f"91420100{new_org_code(ORGANISATION, chance, taken)}") for _ in numbers]
        await connection.execute(SUBJECTS, numbers, new)
        await connection.execute(CODES, numbers, new)
        await connection.execute(FILES, numbers, max(1, records // subjects))
        codes += new
    for begin in range(0, records, CHUNK):
        await connection.execute(RECORDS, begin, min(begin + CHUNK, records) - 1, subjects)
        if begin % (20 * CHUNK) == 0:
            tell(f"{begin:,} of {records:,} records written straight into the store")
    await connection.execute("ANALYZE subjects, subject_codes, subject_files, disclosed_records")
    return codes


async def load(ask: Ask, concurrency: int, seconds: float) -> dict[str, Any]:
    """So many askers, each asking its next question when the last is answered."""
    times: list[float] = []
    answered, begin = 0, time.monotonic()
    end = begin + seconds

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
    took = time.monotonic() - begin
    return {"per_s": round(len(times) / took, 1), "subjects_per_s": round(answered / took, 1), **percentiles(times)}


def askers(door: Any, codes: Sequence[str], per_subject: int) -> tuple[Ask, Ask]:
    """A single question and a batch of them; both check what they are answered."""
    from credit.disclosure.v1 import disclosure_pb2 as pb
    from credit.disclosure.v1 import disclosure_pb2_grpc as pb_grpc

    stub: Any = pb_grpc.DisclosureStub(door)
    inquiry = pb.Inquiry(channel=pb.CHANNEL_PUBLIC, caller="bench", purpose="bench: look-ups")
    chance = source(1, "questions")
    order = [chance.randrange(len(codes)) for _ in range(1_000_000)]

    def key(number: int) -> Any:
        return pb.SubjectKey(code=pb.Code(kind="uscc", code=codes[order[number % len(order)]]))

    async def single(number: int) -> int:
        found = await stub.GetSubject(pb.GetSubjectRequest(inquiry=inquiry, subject=key(number)), timeout=30)
        equal("query: records of a subject", found.subject.records, per_subject)
        return 1

    async def batch(number: int) -> int:
        keys = [key(number * BATCH + n) for n in range(BATCH)]
        found = await stub.BatchGetSubject(pb.BatchGetSubjectRequest(inquiry=inquiry, subjects=keys), timeout=60)
        equal("query: batch answers", [a.fault for a in found.answers], [""] * BATCH)
        return BATCH

    return single, batch


async def measure(rig: Rig, subjects: int, records: int, seconds: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Rates and times by concurrency, and the audit rows counted against the answers."""
    connection = await rig.connect("disclosure")
    try:
        began = time.monotonic()
        codes = await fill(connection, subjects, records, tell)
        await rig.checkpoint()
        tell(f"{subjects:,} subjects and {records:,} records stand after {time.monotonic() - began:.0f} s")
        found: dict[str, Any] = {"subjects": subjects, "records": records, "single": {}, "batch": {}}
        audited, answers = await connection.fetchval("SELECT count(*) FROM audit"), 0
        async with grpc.aio.insecure_channel(rig.layout.address("disclosure.grpc")) as door:
            single, batch = askers(door, codes, records // subjects)
            for name, ask, size in (("single", single, 1), ("batch", batch, BATCH)):
                for concurrency in (1, 8, 32):
                    measured = found[name][str(concurrency)] = await load(ask, concurrency, seconds)
                    answers += measured["count"] * size
                    tell(f"{name}, {concurrency} at once: {json.dumps(measured)}")
        now = await connection.fetchval("SELECT count(*) FROM audit")
        equal("query: audit rows = answers", now - audited, answers)
        return {**found, "audit_rows": answers}
    finally:
        await connection.close()


def main() -> None:
    """On a stack of its own, of whose services only disclosure runs."""
    began, quick = time.monotonic(), rigs.quick()
    subjects = int(float(os.environ.get("SUBJECTS", "20000" if quick else "1000000")))
    records = int(float(os.environ.get("RECORDS", "100000" if quick else "5000000")))

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {line}\n")
        sys.stdout.flush()

    with rigs.standing(tell) as rig:
        rig.only("disclosure")
        found = asyncio.run(measure(rig, subjects, records - records % subjects, 4.0 if quick else 20.0, tell))
    file = rigs.results() / "query.json"
    file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    tell("every answer has its audit row; the same as JSON: var/bench/query.json")


if __name__ == "__main__":
    main()
