"""`make bench-linking`: identity with a million subjects and five million old codes: linking, asking why, merging.

In each round identity links a backlog of accepted records of known subjects, and then the same rows go into the same
table by nothing but COPY, in batches of the same sizes; the ratio is taken within the round. Then `explain` is asked,
and two subjects with a thousand records each are merged, until the feeds have told of it. Results are checked before
rates; goals are printed beside the figures and asserted nowhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench import linking_step, linking_told, ours
from bench import rig as rigs
from bench.backlog import Doors
from bench.checks import equal, ids
from bench.linking_fill import Known, Tell, fill
from bench.rig import Rig, item_schema
from bench.workload import ITEM, MARK, Message, Run, Workload, encoder, envelope, record_id, record_no
from services.cli.agency import onboard
from services.cli.demo.agencies import AGENCIES as NAMES
from services.cli.synthetic import basics
from services.cli.synthetic.chance import source
from services.cli.synthetic.draft import Draft
from services.cli.synthetic.organisations import organisations
from services.identity.config import load_pepper

RATIO_GOAL, EXPLAIN_GOAL_MS, MERGE_GOAL_S = 0.5, 50.0, 60.0
GENUINE = 200  # organisations that are registered and mapped, the whole road
RECORDS_TO_MERGE = 1_000  # of each of the two, at least


class Bench:
    """One stack, one workload; `doors` of the agencies stay open."""

    def __init__(self, rig: Rig, records: int, tell: Tell) -> None:
        self.rig = rig
        self.tell = tell
        self.doors = Doors(rig)
        self.now_ms = time.time_ns() // 1_000_000 - rigs.HOUR_MS
        self.workload = Workload(records, encoder(*item_schema(rig)), self.now_ms)
        self._numbers = iter(range(1, 10_000))

    def next_run(self, codes: Sequence[str] | None = None) -> Run:
        """A run that was not before; `codes`: whom it is about, in turns."""
        given = None if codes is None else [codes[n % len(codes)].encode() for n in range(self.workload.subjects)]
        return self.workload.run(next(self._numbers), codes=given)

    def genuine(self) -> list[tuple[bytes, str]]:
        """Registered and mapped organisations; the records that name them by an old code, and by which rule."""
        items = (ITEM, "enterprise-registration", "code-mapping")
        onboard(self.rig.layout, basics.REGISTRAR, NAMES[basics.REGISTRAR], items)
        ours.warm_up(self.rig, self.doors, self.workload.run(next(self._numbers), 3_000))
        known, chance = organisations(7, GENUINE), source(7, "linking")
        mapped = [draft for kind in ("reg_no", "tax_no") for draft in basics.mappings(chance, known, kind)]
        self._publish([*basics.registrations_of(chance, known), *mapped], 0)
        named = basics.permits(chance, known, "reg_no")
        first = GENUINE + len(mapped)
        self._publish(named, first)
        return [(record_id(d.agency, record_no(MARK, first + n)), "REG_NO") for n, d in enumerate(named)]

    def _publish(self, drafts: Sequence[Draft], first: int) -> None:
        encode = {item: encoder(*item_schema(self.rig, item)) for item in {draft.item for draft in drafts}}
        messages: list[Message] = []
        for n, draft in enumerate(drafts, first):
            value = encode[draft.item](envelope(draft, n, n, self.now_ms + n))
            messages.append(Message(draft.agency, record_no(MARK, n).encode(), value))
        self.doors.publish(messages)
        ours.drain(self.rig)


def rounds(bench: Bench, known: Known, count: int) -> Iterator[dict[str, Any]]:
    """Each links records of subjects chosen at random among all, and then inserts as many rows barely."""
    chance = source(count, "linking rounds")
    for number in range(1, count + 1):
        run = bench.next_run(chance.sample(known.codes, min(bench.workload.subjects, len(known.codes))))
        linked = linking_step.link_step(bench.rig, bench.doors, run)
        bare = asyncio.run(linking_step.bare_insert(bench.rig, linked, number))
        ratio = round(linked.figures["per_s"] / bare["per_s"], 3)
        bench.tell(f"round {number}: {json.dumps({'linked': linked.figures, 'bare': bare, 'ratio': ratio})}")
        yield {"linked": linked.figures, "bare": bare, "ratio": ratio, "run": run}


def measure(bench: Bench, subjects: int, aliases: int, count: int, questions: int) -> dict[str, Any]:
    """The report."""
    by_old_code = bench.genuine()
    began = time.monotonic()
    known = asyncio.run(_fill(bench, subjects, aliases))
    bench.tell(f"{subjects:,} subjects and {aliases:,} aliases stand after {time.monotonic() - began:.0f} s")
    found = list(rounds(bench, known, count))
    by_uscc = [(i, "USCC") for i in list(ids(found[-1]["run"]))[: len(by_old_code)]]
    asked = [one for pair in zip(by_uscc, by_old_code, strict=True) for one in pair]
    explained = asyncio.run(linking_told.explain(bench.rig, asked, questions))
    bench.tell(f"explain, ms: {json.dumps(explained)} (goal: p99 ≤ {EXPLAIN_GOAL_MS:g})")
    merged = _merge(bench, known)
    bench.tell(f"merge: {json.dumps(merged)} (goal: told_s ≤ {MERGE_GOAL_S:g})")
    goals = {"ratio": RATIO_GOAL, "explain_p99_ms": EXPLAIN_GOAL_MS, "merge_told_s": MERGE_GOAL_S}
    told = [{name: part for name, part in each.items() if name != "run"} for each in found]
    ratio = statistics.median(each["ratio"] for each in found)
    return {"subjects": subjects, "aliases": aliases, "rounds": told, "ratio": ratio, "explain_ms": explained,
            "merge": merged, "goals": goals}  # fmt: skip


async def _fill(bench: Bench, subjects: int, aliases: int) -> Known:
    store = await bench.rig.connect("identity")
    try:
        before = [await store.fetchval(f"SELECT count(*) FROM {table}") for table in ("subjects", "aliases")]  # noqa: S608
        known = await fill(store, load_pepper(bench.rig.layout.secrets), subjects, aliases, bench.tell)
        after = [await store.fetchval(f"SELECT count(*) FROM {table}") for table in ("subjects", "aliases")]  # noqa: S608
        equal("fill: rows", after, [before[0] + subjects, before[1] + aliases])
        await bench.rig.rest()
        return known
    finally:
        await store.close()


def _merge(bench: Bench, known: Known) -> dict[str, Any]:
    """Two subjects that have nothing yet, with half of a run each."""
    enough = Workload(int(2.4 * RECORDS_TO_MERGE), encoder(*item_schema(bench.rig)), bench.now_ms)
    pair = known.codes[0], known.codes[1]
    codes = [pair[n % 2].encode() for n in range(enough.subjects)]
    merged = linking_told.merge(bench.rig, bench.doors, enough.run(9_999, codes=codes), *pair)
    equal("merge: a thousand records at least", merged["records"] >= RECORDS_TO_MERGE, True)
    return merged


def main() -> None:
    """On a stack of its own."""
    began, quick = time.monotonic(), rigs.quick()
    subjects = int(float(os.environ.get("SUBJECTS", "20000" if quick else "1000000")))
    aliases = int(float(os.environ.get("ALIASES", str(5 * subjects))))
    (count,) = rigs.environment_numbers("ROUNDS", (1 if quick else 5,))
    (records,) = rigs.environment_numbers("RECORDS", (6_000 if quick else 40_000,))

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {line}\n")
        sys.stdout.flush()

    with rigs.standing(tell) as rig:
        bench = Bench(rig, records, tell)
        found = measure(bench, subjects, aliases - aliases % subjects, count, 500 if quick else 2_000)
    (rigs.results() / "linking.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    tell(f"linking runs at {found['ratio']:.2f} of the bare insert (goal: ≥ {RATIO_GOAL}); var/bench/linking.json")


if __name__ == "__main__":
    main()
