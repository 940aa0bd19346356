"""`python -m tests.chaos`: kills, faults, and after each the account of every record."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from deploy.local.layout import SERVICES, Layout
from tests.chaos import faults, kills, report
from tests.chaos.fault import REGISTRY, DoesNotHold, Fault
from tests.chaos.ground import Ground, NotWithin
from tests.chaos.kills import Died, Kill
from tests.chaos.report import Result

PORT_BASE = "30000"  # below the ports that the system gives to outgoing connections
KILL_BUDGET_S = 15.0
ACCOUNT_EVERY = 10  # kills
QUICK_POINTS = ("cp3", "cp5", "cp6")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; exit code 1 if anything that must hold does not."""
    for found in pkgutil.iter_modules(faults.__path__):
        importlib.import_module(f"{faults.__name__}.{found.name}")
    options = _options().parse_args(arguments)
    layout = _layout()
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"[{time.monotonic() - began:6.1f}] {line}", file=sys.stderr, flush=True)

    ground = Ground(layout, options.seed, tell)
    results: list[Result] = []
    try:
        ground.up()
        for result in _run(ground, options):
            results.append(result)
            written = report.merge(layout.var / "report.json", [result])
            tell(f"{result.id}: {result.verdict} {result.reason} {report.percentiles(result.recovery)}")
            if not options.quick:
                report.write_table(written)
    except KeyboardInterrupt:
        tell("stopped; what was run is in the report")
        return 130
    finally:
        if not options.keep:
            ground.down()
    if options.json:
        print(json.dumps([vars(result) for result in results], ensure_ascii=False, indent=1))
    failed = [result.id for result in results if result.verdict != "holds"]
    print(f"{len(results) - len(failed)} of {len(results)} hold, seed {options.seed}" + _named(failed))
    return 1 if failed else 0


def _layout() -> Layout:
    """A stack beside any other: `CREDIT_VAR`/chaos, ports from `CREDIT_PORT_BASE` or 30000 on."""
    base = Layout.from_environment({"CREDIT_PORT_BASE": PORT_BASE, **os.environ})
    return Layout(base.var / "chaos", base.port_base, base.cache)


def _named(failed: Sequence[str]) -> str:
    return f"; not: {', '.join(failed)}" if failed else ""


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--matrix", choices=("kill", "faults", "all"), default="all")
    parser.add_argument("--only", default="", help="faults by id, e.g. F7,F19; F1 is the kill matrix")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=3, help="kills of each service at each crash point")
    parser.add_argument("--quick", action="store_true", help="a few kills of each service and the cheap faults")
    parser.add_argument("--keep", action="store_true", help="leave the stack running")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser


def _run(ground: Ground, options: argparse.Namespace) -> Iterator[Result]:
    only = {name for name in options.only.split(",") if name}
    if only - REGISTRY.keys() - {"F1"}:
        raise SystemExit(
            f"no such fault: {', '.join(sorted(only - REGISTRY.keys()))}; there are F1, {', '.join(REGISTRY)}"
        )
    if options.matrix != "faults" and (not only or "F1" in only):
        yield from _kills(ground, options)
    if options.matrix != "kill":
        for each in REGISTRY.values():
            if each.id in only or (not only and (each.quick or not options.quick)):
                yield _fault(ground, each, options.seed)


def _kills(ground: Ground, options: argparse.Namespace) -> Iterator[Result]:
    cases = kills.matrix(options.seed, options.seeds)
    if options.quick:
        chance = random.Random(options.seed)
        cases = [Kill(service, chance.choice(QUICK_POINTS), options.seed) for service in SERVICES]
    found: dict[tuple[str, str], Result] = defaultdict(lambda: Result("", "", "", "I1–I8", KILL_BUDGET_S))
    for at in range(0, len(cases), ACCOUNT_EVERY):
        group = cases[at : at + ACCOUNT_EVERY]
        reason = ""
        ground.load.begin()
        try:
            for died in kills.run(ground, group):
                _note(found, died)
                ground.tell(f"{died.kill.name} at pass {died.passes}: {died.recovery:.1f} s")
            accounted, reason = _account(ground)
        except (AssertionError, NotWithin) as broken:
            accounted, reason = 0, str(broken)
        for kill in group:
            result = found[kill.service, kill.point]
            result.accounted, result.at = max(accounted, result.accounted), report.now()
            result.note = f"{len(result.recovery)} of {options.seeds} kills made"
            if reason:
                result.verdict, result.reason = "does not hold", reason
        ground.tell(f"{at + len(group)} of {len(cases)} kills: {reason or f'all {accounted} records accounted'}")
    for (service, point), result in found.items():
        yield replace(
            result, id=f"F1 {service} {point}", title=f"kill -9 of {service} at {point}", how="CREDIT_CRASH_AT"
        )


def _note(found: dict[tuple[str, str], Result], died: Died) -> None:
    result = found[died.kill.service, died.kill.point]
    result.recovery.append(round(died.recovery, 2))
    result.seeds.append(died.kill.seed)


def _fault(ground: Ground, each: Fault, seed: int) -> Result:
    ground.tell(f"{each.id} {each.title}: {each.how}")
    result = Result(each.id, each.title, each.how, each.invariants, each.budget, [seed], at=report.now())
    if each.rate:
        ground.load.begin(each.rate)
    try:
        measured = each.inject(ground, random.Random(f"{seed}/{each.id}"))
        result.recovery, result.note = [round(s, 2) for s in measured.recovery], measured.note
        if each.budget and measured.recovery and max(measured.recovery) > each.budget:
            result.verdict, result.reason = "does not hold", f"recovered in {max(measured.recovery):.1f} s"
    except DoesNotHold as why:
        result.verdict, result.reason = "does not hold", str(why)
    except NotWithin as why:
        result.verdict, result.reason = "does not hold", str(why)
    if each.accounted:
        try:
            result.accounted, reason = _account(ground)
        except NotWithin as why:
            reason = str(why)
        if reason:
            result.verdict, result.reason = "does not hold", "; ".join(filter(None, (result.reason, reason)))
    return result


def _account(ground: Ground) -> tuple[int, str]:
    """How many submissions are accounted for, and the first finding if any."""
    verdict = ground.account()
    reason = "" if not verdict.findings else f"{len(verdict.findings)} findings, first: {verdict.findings[0]}"
    (Path(ground.layout.var) / "findings.txt").write_text("\n".join(map(str, verdict.findings)))
    ground.tell(verdict.line())
    return verdict.counts["submitted"], reason


if __name__ == "__main__":
    sys.exit(main())
