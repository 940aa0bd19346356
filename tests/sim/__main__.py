"""`python -m tests.sim`: seeds, one seed again, or the thirteen planted bugs. `credit sim` calls it."""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

from tests.sim.bugs import BUGS
from tests.sim.runner import Outcome, run_seed
from tests.sim.shared import shared

WITHIN = 500  # seeds in which a planted bug must be found
CHUNK = 10
LINE = 200  # seeds between two lines of progress


class _Cost(NamedTuple):
    seconds: float
    cpu_s_per_seed: float


def main() -> int:
    """0: everything held (or, with --bugs, everything was found); 1: not; 2: wrong usage; 130: interrupted."""
    parser = argparse.ArgumentParser(prog="credit sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first one (default 1)")
    parser.add_argument("--seed", type=int, help="only this one, with what was done in it")
    parser.add_argument("--bug", type=int, choices=sorted(BUGS), help="plant this bug")
    parser.add_argument("--bugs", action="store_true", help="plant each bug in turn until it is found")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", action="store_true", help="one JSON object")
    asked = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets of text keep their order only under a fixed hash seed, and that is fixed before the interpreter starts.
        os.execve(
            sys.executable, [sys.executable, "-m", "tests.sim", *sys.argv[1:]], {**os.environ, "PYTHONHASHSEED": "0"}
        )
    try:
        if asked.seed is not None:
            return _one(asked)
        return _bugs(asked) if asked.bugs else _many(asked)
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        return 130


def replay(seed: int, bug: int | None) -> str:
    """The one command that shows a failure again."""
    return f"credit sim --seed {seed}" + (f" --bug {bug}" if bug else "")


def _one(asked: Any) -> int:
    outcome = run_seed(asked.seed, asked.bug)
    if asked.json:
        print(json.dumps(outcome._asdict(), ensure_ascii=False))
    else:
        print("\n".join(outcome.journal))
        mode = "liveness" if outcome.liveness else "safety"
        print(
            f"seed {outcome.seed} ({mode}): {outcome.virtual_s:.1f} s in {outcome.steps} steps, state {outcome.digest}"
        )
        print(outcome.violation or "everything held")
    return 1 if outcome.violation else 0


def _chunk(arguments: tuple[range, int | None]) -> list[Outcome]:
    seeds, bug = arguments
    return [run_seed(seed, bug)._replace(journal=[]) for seed in seeds]


def _outcomes(pool: ProcessPoolExecutor, seeds: range, bug: int | None) -> Iterator[Outcome]:
    parts = [(seeds[at : at + CHUNK], bug) for at in range(0, len(seeds), CHUNK)]
    for outcomes in pool.map(_chunk, parts):
        yield from outcomes


def _ignore_interrupt() -> None:
    """Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _many(asked: Any) -> int:
    seeds = range(asked.first, asked.first + asked.seeds)
    failed: list[Outcome] = []
    shared()  # made before the processes part, so that all have it
    gc.freeze()
    began = time.monotonic()
    pool = ProcessPoolExecutor(asked.processes, initializer=_ignore_interrupt)
    try:
        for done, outcome in enumerate(_outcomes(pool, seeds, asked.bug), 1):
            if outcome.violation:
                failed.append(outcome)
                _say(asked, f"\r{outcome.violation}\n    {replay(outcome.seed, asked.bug)}\n")
            _progress(done, len(seeds), len(failed))
    finally:
        pool.shutdown(cancel_futures=True)
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    cost = _Cost(time.monotonic() - began, _cpu_s() / len(seeds))
    told = [{"seed": o.seed, "violation": o.violation, "replay": replay(o.seed, asked.bug)} for o in failed]
    if asked.json:
        print(json.dumps({"seeds": len(seeds), "from": asked.first, "failed": told} | cost._asdict()))
    else:
        print(
            f"{len(seeds)} seeds from {asked.first}: {len(failed)} failed; "
            f"{cost.seconds:.0f} s, of each seed {cost.cpu_s_per_seed:.3f} s of processor time"
        )
    return 1 if failed else 0


def _bugs(asked: Any) -> int:
    found: dict[int, Outcome | None] = {}
    with ProcessPoolExecutor(asked.processes, initializer=_ignore_interrupt) as pool:
        for number, outcome in zip(BUGS, pool.map(_first, BUGS), strict=True):
            found[number] = outcome
            seed = f"seed {outcome.seed}" if outcome else f"not within {WITHIN} seeds"
            _say(asked, f"{number:>3}  {BUGS[number].name:<38} {seed:<10} {outcome.violation if outcome else ''}\n")
    if asked.json:
        told = {n: o and {"bug": BUGS[n].name, "seed": o.seed, "violation": o.violation} for n, o in found.items()}
        print(json.dumps(told, ensure_ascii=False))
    return 0 if all(found.values()) else 1


def _first(bug: int) -> Outcome | None:
    """The first seed that finds a bug and holds without it."""
    for seed in range(1, WITHIN + 1):
        outcome = run_seed(seed, bug)
        if outcome.violation and run_seed(seed).violation is None:
            return outcome._replace(journal=[])
    return None


def _say(asked: Any, text: str) -> None:
    if not asked.json:
        sys.stdout.write(text)
        sys.stdout.flush()


def _progress(done: int, all_: int, failed: int) -> None:
    """A bar on a terminal; elsewhere a line now and then."""
    said = f"{done}/{all_} seeds, {failed} failed"
    if sys.stderr.isatty():
        filled = 30 * done // all_
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (30 - filled)}] {said} ")
    elif done % LINE == 0 and done < all_:
        sys.stderr.write(f"{said}\n")


def _cpu_s() -> float:
    """Of the processes that ran the seeds, all of which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
