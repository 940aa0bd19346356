"""The link step, and a bare insert of the same rows beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from bench import accounting, checks
from bench.arrivals import ACCEPTED, Arrivals
from bench.backlog import Doors
from bench.checks import equal
from bench.copies import Table, copier, hashed
from bench.measured import measured
from bench.rig import Connection, Rig
from bench.workload import Run
from services.cli.demo.seen import LINKED

HOLD_S = 9.0  # a member that stands still for longer is taken for gone
LAST_TURN = "SELECT coalesce(max(number), 0) FROM turns"
TURNS = """
SELECT (SELECT sum(m) FROM unnest(messages) AS m)::int FROM turns
WHERE number > $1 AND NOT due AND topics && ARRAY['credit.ingestion.record.v1'] ORDER BY number
"""
LAST_LINK = "SELECT coalesce(max(linked_at), 0) FROM record_links"
FORGET = "DELETE FROM record_links WHERE record_id = ANY($1::bytea[])"


class Linked(NamedTuple):
    """One run of the link step: what it took, the sizes of its batches, and the moment (ms) before all its links."""

    figures: dict[str, Any]
    batches: Sequence[int]
    after_ms: int


def link_step(rig: Rig, doors: Doors, run: Run) -> Linked:
    """From the release of identity before a backlog to the last link that it has committed and told."""
    rig.only("ingestion", "identity")
    turn, after_ms = asyncio.run(_ask(rig, LAST_TURN)), asyncio.run(_ask(rig, LAST_LINK))
    asyncio.run(rig.rest())
    arrivals = Arrivals(rig)
    try:
        with rig.held("identity"):
            held = time.monotonic()
            doors.publish(run.messages)
            arrivals.wait(len(run.messages), run.accepted, [ACCEPTED])
            held = time.monotonic() - held
            before, released = accounting.snapshot(), time.time_ns() / 1e9
        arrivals.wait(len(run.messages), run.accepted, [LINKED])
        after, stage = accounting.snapshot(), arrivals.stage(LINKED)
    finally:
        arrivals.close()
    equal("linking: one message per version", stage.messages, run.accepted)
    batches = asyncio.run(_check_links(rig, run, turn))
    found = measured(rig, run.accepted, stage.last - released, (before, after))
    cpu = {name: round(us, 1) for name, us in found.cpu_us.items() if name in ("identity", "postgres", "kafka")}
    figures = {"records": run.accepted, "per_s": round(found.per_s), "batches": len(batches), "cpu_us": cpu}
    late = {"held_s": round(held, 1)} if held > HOLD_S else {}  # then the group has given its lanes away and back
    return Linked({**figures, **late, "foreign_cores": round(found.foreign_cores, 2)}, batches, after_ms)


async def _ask(rig: Rig, question: str) -> Any:
    store = await rig.connect("identity")
    try:
        return await store.fetchval(question)
    finally:
        await store.close()


async def _check_links(rig: Rig, run: Run, turn: int) -> list[int]:
    """Every record has its one link at its version; the sizes of the batches that made them."""
    wanted = checks.ids(run)
    content = checks.digest(f"{i.hex()}:{version}" for i, version in sorted(wanted.items()))
    store = await rig.connect("identity")
    try:
        found = tuple(await store.fetchrow(checks.LINKS, list(wanted)) or ())
        equal("linking: rows and content", found, (len(wanted), content))
        batches = [row[0] for row in await store.fetch(TURNS, turn)]
        equal("linking: messages of the batches", sum(batches), run.accepted)
        return batches
    finally:
        await store.close()


async def bare_insert(rig: Rig, linked: Linked, number: int) -> dict[str, Any]:
    """The same rows under new ids into the same table: nothing but binary COPY, one for each batch that identity had.

    They are encoded before, sorted within a batch as identity sorts them; each COPY is a transaction of the same
    durability. Afterwards they are taken away again.
    """
    made = hashed(f"bare {number}")
    store = await rig.connect("identity")
    try:
        table = Table("record_links", {"record_id": made}, f"linked_at > {linked.after_ms}")
        rows = await copier(store, table, sum(linked.batches))
        streams, begin = list[bytes](), 0
        for size in linked.batches:
            streams.append(rows.stream(range(begin, begin + size)))
            begin += size
        await rig.rest()
        before = accounting.snapshot()
        for stream in streams:
            await rows.send(store, stream)
        after = accounting.snapshot()
        await _take_away(store, [made(n, b"") for n in range(begin)])
        found = measured(rig, begin, after.at_s - before.at_s, (before, after))
        cpu = {name: round(us, 1) for name, us in found.cpu_us.items() if name in ("postgres", "harness")}
        return {"per_s": round(found.per_s), "cpu_us": cpu, "foreign_cores": round(found.foreign_cores, 2)}
    finally:
        await store.close()


async def _take_away(store: Connection, ids: Sequence[bytes]) -> None:
    gone = await store.execute(FORGET, ids)
    equal("bare insert: rows", gone, f"DELETE {len(ids)}")
    await store.execute("VACUUM ANALYZE record_links")
