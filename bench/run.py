"""`make bench`: every contestant in interleaved rounds on one stack; tables, var/bench/report.json and report.svg."""

from __future__ import annotations

import json
import os
import sys
import time

from bench import report, rig, sustained
from bench.contest import Contest, Sizes
from bench.measured import Measured
from bench.plot import chart
from bench.show import show


def main() -> None:
    """Exit code 1 with one line that names the check, if a result was not exactly right."""
    began, sizes = time.monotonic(), Sizes.chosen()

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {line}\n")
        sys.stdout.flush()

    if os.environ.get("SUSTAINED"):
        sustained.main(tell)
        return
    conditions = report.machine()
    with rig.standing(tell) as standing:
        contest = Contest(standing, sizes, tell)
        conditions |= report.sizes(standing.layout, sizes, contest.workload.mean_bytes, contest.columns)
        contest.warm_up()
        tell("warm; every run's results are checked before its rate counts")
        rounds: list[dict[str, Measured]] = [dict(contest.round(n)) for n in range(1, sizes.rounds + 1)]
        latency = contest.latency(8.0 if rig.quick() else 30.0)
    found = report.made(rounds, sizes, conditions, rig.quick()) | {"latency_ms": latency}
    folder = rig.results()
    (folder / "report.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "report.svg").write_text(chart(found), encoding="utf-8")
    show(found)
    tell("the same as JSON: var/bench/report.json, as a figure: var/bench/report.svg")


if __name__ == "__main__":
    main()
