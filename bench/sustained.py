"""`make bench SUSTAINED=10`: all five services for so many minutes with as many records under way all the time.

They are fed in chunks, as fast as they come out at every end, the nation's too: nothing piles up on the way. The rate
is of the public feed over the whole time; memory is compared between minute 2 (or a fifth of a shorter run) and the
end. Every chunk's receipts and changes are checked afterwards.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from bench import accounting, checks, ours
from bench import rig as rigs
from bench.arrivals import ACCEPTED, FEEDS, Arrivals
from bench.backlog import Doors
from bench.rig import HOUR_MS, Rig, item_schema
from bench.workload import Run, Workload, encoder
from deploy.local.layout import SERVICES
from services.cli.demo.seen import EXCHANGE, LINKED

CHUNK = 20_000
AHEAD = 40_000  # records that are under way, at least, while it lasts
EXCHANGED = 2  # states of an exchange: pending, acknowledged
SETTLED_S = 120.0
FIRST = 2  # number of the first chunk; the warm-up is 1


def measure(rig: Rig, minutes: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Records/s, memory growth by service in per cent, CPU µs per record."""
    workload = Workload(CHUNK, encoder(*item_schema(rig)), time.time_ns() // 1_000_000 - HOUR_MS)
    doors = Doors(rig)
    ours.warm_up(rig, doors, workload.run(1, 3_000))
    arrivals, pids = Arrivals(rig), {name: rig.pids()[name] for name in SERVICES}
    before, began = accounting.snapshot(), time.monotonic()
    settled_at, early = min(SETTLED_S, minutes * 60 / 5), dict[str, float]()
    runs: list[Run] = []
    sent = 0
    while time.monotonic() - began < minutes * 60:
        if not early and time.monotonic() - began >= settled_at:
            early = _memory(pids)
        if sum(run.accepted for run in runs) - _through(arrivals) < AHEAD:
            runs.append(workload.run(FIRST + len(runs)))
            sent += doors.publish(runs[-1].messages).messages
        else:
            time.sleep(0.5)
    done, seconds = arrivals.grown()[FEEDS[0]], time.monotonic() - began
    after, late = accounting.snapshot(), _memory(pids)
    tell(f"{done / seconds:,.0f} changes/s over {seconds:.0f} s; now the rest, then the checks")
    accepted = sum(run.accepted for run in runs)
    arrivals.wait(sent, accepted, [ACCEPTED, LINKED, *FEEDS])
    _check(arrivals, runs)
    arrivals.close()
    growth = {name: round(100 * (late[name] / early[name] - 1), 1) for name in SERVICES}
    usage = rig.usage(before, after)
    cpu = {name: round(1e6 * used / max(1, done), 1) for name, used in usage.cpu_s.items()}
    return {
        "minutes": round(seconds / 60, 2),
        "records": sent,
        "changes_per_s": round(done / seconds, 1),
        "rss_mb": late,
        "rss_growth_percent": growth,
        "cpu_us_per_record": cpu,
        "foreign_cores": round(usage.foreign_cores, 2),
    }


def _through(arrivals: Arrivals) -> int:
    """Records that have come out at every end. By the receipts alone ingestion would run ahead, on others' cores."""
    grown = arrivals.grown()
    return min(*(grown[feed] for feed in FEEDS), grown[EXCHANGE] // EXCHANGED)


def _memory(pids: dict[str, int]) -> dict[str, float]:
    now = accounting.snapshot()
    return {name: round(now.rss_mb(pid), 1) for name, pid in pids.items()}


def _check(arrivals: Arrivals, runs: list[Run]) -> None:
    """One receipt each with the outcome that was meant; every version once; numbers without gaps."""
    _, found = arrivals.receipts()
    changes = [arrivals.changes(feed)[1] for feed in FEEDS]
    checks.equal("sustained: receipts", len(found), sum(len(run.messages) for run in runs))
    wanted = {i: outcome for run in runs for i, outcome in run.receipts().items()}
    checks.equal("sustained: outcomes", [i for i, o in wanted.items() if found.get(i) != [o]][:3], [])
    versions = {at for run in runs for at in checks.versions(run)}
    for each in changes:
        told = [(change.record_id, change.version) for change in each]
        checks.equal("sustained: every version once", (len(told), set(told) == versions), (len(versions), True))


def main(tell: Callable[[str], None]) -> None:
    """On a stack of its own; writes var/bench/sustained.json."""
    minutes = float(os.environ["SUSTAINED"])
    with rigs.standing(tell) as rig:
        found = measure(rig, minutes, tell)
    (rigs.results() / "sustained.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    tell(json.dumps(found))
