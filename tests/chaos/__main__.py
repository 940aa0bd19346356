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
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from deploy.local.layout import SERVICES, Layout
from tests.chaos import faults, kills, report
from tests.chaos.fault import REGISTRY, DoesNotHold, Fault, Measured
from tests.chaos.ground import Ground, NotWithin
from tests.chaos.kills import Died, Kill
from tests.chaos.load import RATE
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
    if options.table:
        report.write_table(report.merge(layout.var / "report.json", [], options.merge))
        return 0
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"[{time.monotonic() - began:6.1f}] {line}", file=sys.stderr, flush=True)

    ground = Ground(layout, options.seed, tell)
    results: list[Result] = []
    try:
        ground.up()
        for result in _run(ground, options):
            result.revision, result.load = report.revision(), os.getloadavg()[0]
            results.append(result)
            written = report.merge(layout.var / "report.json", [result], options.merge)
            tell(f"{result.id}: {result.verdict} {result.reason} {report.percentiles(result.recovery)}")
            if not options.quick:
                report.write_table(written)
    except KeyboardInterrupt:
        tell("stopped; what was run is in the report")
        return 130
    finally:
        ground.leave(running=options.keep)
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
    parser.add_argument("--only", default="", help="faults by id, e.g. F7,F19a; F1 is the kill matrix, "
                        "F1:cp10, F1:identity and F1:identity:cp10 are parts of it")  # fmt: skip
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=3, help="kills of each service at each crash point")
    parser.add_argument("--fault-seeds", type=int, default=1, help="runs of each fault, with seeds from --seed on")
    parser.add_argument("--merge", nargs="*", type=Path, default=[], metavar="REPORT",
                        help="report.json of other runs: their rows go into the table too")  # fmt: skip
    parser.add_argument("--table", action="store_true", help="run nothing, only write the table anew")
    parser.add_argument(
        "--rate", type=int, default=RATE, help="submissions a second meanwhile; a table says if not 200"
    )
    parser.add_argument("--quick", action="store_true", help="a few kills of each service and the cheap faults")
    parser.add_argument("--keep", action="store_true", help="leave the stack running")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser


def _run(ground: Ground, options: argparse.Namespace) -> Iterator[Result]:
    only = {name for name in options.only.split(",") if name}
    if unknown := {name for name in only if not name.startswith("F1:")} - REGISTRY.keys() - {"F1"}:
        raise SystemExit(f"no such fault: {', '.join(sorted(unknown))}; there are F1, {', '.join(REGISTRY)}")
    kills_wanted = {name for name in only if name.partition(":")[0] == "F1"}
    if options.matrix != "faults" and (not only or kills_wanted):
        yield from _kills(ground, options, kills_wanted - {"F1"})
    if options.matrix != "kill":
        for each in REGISTRY.values():
            if each.id in only or (not only and (each.quick or not options.quick)):
                yield _fault(ground, each, options)


def _kills(ground: Ground, options: argparse.Namespace, parts: Collection[str]) -> Iterator[Result]:
    cases = kills.matrix(options.seed, options.seeds)
    if options.quick:
        chance = random.Random(options.seed)
        cases = [Kill(service, chance.choice(QUICK_POINTS), options.seed) for service in SERVICES]
    if parts:
        wanted = [set(part.split(":")[1:]) for part in parts]
        cases = [case for case in cases if any(words <= {case.service, case.point} for words in wanted)]
    found: dict[tuple[str, str], Result] = defaultdict(lambda: Result("", "", "", "I1–I8", KILL_BUDGET_S))
    for at in range(0, len(cases), ACCOUNT_EVERY):
        group = cases[at : at + ACCOUNT_EVERY]
        reason = ""
        ground.load.begin(options.rate)
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
            result.note += f", at {options.rate} a second" if options.rate != RATE else ""
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


def _fault(ground: Ground, each: Fault, options: argparse.Namespace) -> Result:
    """One row, of as many runs as there are seeds."""
    result = Result(each.id, each.title, each.how, each.invariants, each.budget)
    rate = options.rate if each.rate == RATE else each.rate
    notes: list[str] = [f"at {rate} a second"] if rate not in (0, RATE) else []
    reasons: list[str] = []
    for seed in range(options.seed, options.seed + options.fault_seeds):
        ground.tell(f"{each.id}, seed {seed}: {each.title}: {each.how}")
        measured, why, result.accounted = _once(ground, each, seed, rate)
        result.seeds.append(seed)
        result.recovery += [round(s, 2) for s in measured.recovery]
        result.at = report.now()
        notes += [measured.note] if measured.note else []
        reasons += [f"seed {seed}: {one}" for one in why]
    result.note, result.reason = "; ".join(notes), "; ".join(reasons)
    result.verdict = "does not hold" if reasons else "holds"
    return result


def _once(ground: Ground, each: Fault, seed: int, rate: int) -> tuple[Measured, list[str], int]:
    """What was measured, why it does not hold, how many submissions are accounted for."""
    measured, why, accounted = Measured(), list[str](), 0
    if rate:
        ground.load.begin(rate)
    try:
        measured = each.inject(ground, random.Random(f"{seed}/{each.id}"))
        if each.budget and measured.recovery and max(measured.recovery) > each.budget:
            why.append(f"recovered in {max(measured.recovery):.1f} s")
    except (DoesNotHold, NotWithin) as found:
        why.append(str(found))
    if each.accounted:
        try:
            accounted, finding = _account(ground)
        except NotWithin as found:
            finding = str(found)
        why += [finding] if finding else []
    return measured, why, accounted


def _account(ground: Ground) -> tuple[int, str]:
    """How many submissions are accounted for, and the first finding if any."""
    verdict = ground.account()
    reason = "" if not verdict.findings else f"{len(verdict.findings)} findings, first: {verdict.findings[0]}"
    (Path(ground.layout.var) / "findings.txt").write_text("\n".join(map(str, verdict.findings)))
    ground.tell(verdict.line())
    return verdict.counts["submitted"], reason


if __name__ == "__main__":
    sys.exit(main())
