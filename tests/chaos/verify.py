"""`python -m tests.chaos.verify`: whether every record of a running system is accounted for.

Imports nothing of the product: topics by the stock client, stores by SQL, doors by gRPC reflection, HTTPS and plain
files. The system must be at rest or come to rest within `--settle` seconds. Ends with one line:
`ALL RECORDS ACCOUNTED n=…` (exit 0), or the first offending record (exit 1); 2: something does not answer.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import KafkaException

from tests.chaos import answers, reading, rules, stores
from tests.chaos.heard import Finding
from tests.chaos.positions import Place
from tests.chaos.reading import Doors, Lane, Listener, Unreadable


class Verdict(NamedTuple):
    """What was counted, and everything that is wrong with it."""

    counts: dict[str, int]
    findings: list[Finding]

    def line(self) -> str:
        """The last line of a run."""
        if not self.findings:
            return f"ALL RECORDS ACCOUNTED n={self.counts['submitted']}"
        return f"NOT ACCOUNTED ({len(self.findings)} findings), first: {self.findings[0]}"

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"accounted": not self.findings, "counts": self.counts, "findings": [f._asdict() for f in self.findings]}


class Verifier:
    """Keeps what it has heard, so that each further call reads only what is new, and sees a lane that went back."""

    def __init__(self, doors: Doors, allow_parked: bool = False) -> None:
        self.doors = doors
        self.listener = Listener(doors)
        self.allow_parked = allow_parked
        self._before: Mapping[str, Mapping[Place, Lane]] = {}

    def settle(self, seconds: float) -> dict[str, int]:
        """Wait until no lane is behind; returns what is left, by service, when the time is over."""
        give_up = time.monotonic() + seconds
        while True:
            left = {name: n for name, n in self.behind().items() if n}
            if not left or time.monotonic() > give_up:
                return left
            time.sleep(0.2)

    def behind(self) -> dict[str, int]:
        """Messages, exchanges and erasures that each service has still to deal with."""
        left = reading.behind(self.listener.ends(), reading.lanes(self.doors))
        waiting = "SELECT count(*) FROM exchanges WHERE state IN ('PENDING', 'RETRYING')"
        erasing = "SELECT count(*) FROM timers WHERE kind = 'erasure'"  # heard of, and told in the next turn
        asked = reading.ask(self.doors, [("national_sync", waiting), ("disclosure", erasing)])
        left["national_sync"] += asked[0][0][0]
        left["disclosure"] += asked[1][0][0]
        return left

    def check(self) -> Verdict:
        """Read what is new and apply every rule to everything."""
        facts = self.listener.listen()
        ends, lanes = self.listener.ends(), reading.lanes(self.doors)
        held = stores.read(self.doors)
        findings = rules.all_of(facts, stores.in_review(held), stores.parked_places(held))
        findings += stores.compared(facts, held)
        findings += stores.lanes(facts, lanes, ends, self._before)
        findings += stores.chained(held["audit"])
        findings += [] if self.allow_parked else stores.parked(held)
        findings += answers.by_grpc(self.doors, facts)
        findings += answers.national(self.doors, facts, held)
        findings += answers.silent(self.doors, facts, held)
        self._before = lanes
        outcomes = Counter(r.outcome.lower() for found in facts.receipts.values() for r in found)
        counts = {"submitted": len(facts.submitted), **outcomes, "linked": len(facts.linked),
                  "links_changed": sum(map(len, facts.links.values())),
                  "in_review": len(stores.in_review(held)), "tasks": len(facts.tasks),
                  "exchanges": len(facts.exchanges), "audit_rows": len(held["audit"]),
                  "parked": len(held["parked"]), "repeats_dropped": facts.repeats,
                  "subjects_out_of_order": facts.out_of_order}  # fmt: skip
        return Verdict(counts, findings)

    def close(self) -> None:
        """Leave the broker."""
        self.listener.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    options = _options().parse_args(arguments)
    try:
        env = dict(os.environ) | (_stack_env(options.stack) if options.stack else {})
        verifier = Verifier(Doors.from_environment(env), options.allow_parked)
        if left := verifier.settle(options.settle):
            print(f"not at rest after {options.settle:.0f} s, behind: {left}", file=sys.stderr)
        verdict = verifier.check()
    except (Unreadable, OSError, KafkaException) as error:
        print(f"cannot verify: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(verdict.as_json(), ensure_ascii=False))
    else:
        print("\n".join([*map(str, verdict.findings[:50]), json.dumps(verdict.counts), verdict.line()]))
    return 1 if verdict.findings else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.verify", description=__doc__)
    parser.add_argument("--stack", type=Path, help="a stack.env; default: the variables of the environment")
    parser.add_argument("--settle", type=float, default=30, help="seconds to wait until no lane is behind")
    parser.add_argument("--allow-parked", action="store_true", help="messages that wait for an operator are no finding")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _stack_env(path: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value.strip("'\"") for name, _, value in lines}


if __name__ == "__main__":
    sys.exit(main())
