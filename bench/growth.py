"""`make bench-growth`: CPU µs per record, services and PostgreSQL, as the stores grow, and once with little memory.

Between measurements the stores are filled with copies of the services' own rows (growth_fill.py), so that index depth,
locality and heap are those of stores that have grown. Not filled: the journal (outbox, turns), to which is only
appended. SIZES= chooses; a size for which the disk is too small is left out, and said so. Each size is measured
ROUNDS= times; told is the median, and the least and the most. The last size is measured again with PostgreSQL
restarted on 32 MB of shared buffers and, where this machine lets us, in a memory cgroup of half of its indexes' size
(at least 512 MB).
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import accounting, ours
from bench import rig as rigs
from bench.backlog import Doors
from bench.growth_fill import Filler, Tell
from bench.measured import Measured
from bench.rig import HOUR_MS, Rig, item_schema
from bench.workload import Workload, encoder
from deploy.local.layout import SERVICES

BYTES_PER_RECORD = 3_600  # of all stores together, with indexes; the log is a bound number of bytes
RESERVE = 6 * 2**30
PROVINCE = 350_000_000
GROUPS = Path("/sys/fs/cgroup/memory")
LEAST = 512 * 2**20  # below, the sessions of the services alone do not fit
WARM = 3_000
HOW = "a straight line over the logarithm of the size through the first and the last one; memory grows along"


def split(runs: Sequence[Measured]) -> dict[str, Any]:
    """The services together, and PostgreSQL, per record: the median run, the least and the most; others' cores."""
    parts = {
        "services": [sum(run.cpu_us.get(name, 0.0) for name in SERVICES) for run in runs],
        "postgres": [run.cpu_us["postgres"] for run in runs],
    }
    found: dict[str, Any] = {name: round(statistics.median(values), 1) for name, values in parts.items()}
    found["least_and_most"] = {name: [round(min(v), 1), round(max(v), 1)] for name, v in parts.items()}
    found["foreign_cores"] = [round(run.foreign_cores, 2) for run in runs]
    return found


def confine(rig: Rig, index_bytes: int) -> str:
    """Restart PostgreSQL with little memory; how little, in words."""
    services = [name for name in rig.pids() if name.split("-")[0] in SERVICES]
    rig.stop(*services, "registry", "postgres")
    file = rig.layout.var / "postgres" / "data" / "postgresql.conf"
    with file.open("a") as stream:
        stream.write("shared_buffers = 32MB\n")
    rig.start("postgres", "registry")
    said = "shared_buffers 32 MB"
    group, limit = _group(rig), max(index_bytes // 2, LEAST)
    try:
        group.mkdir(exist_ok=True)
        (group / "memory.limit_in_bytes").write_text(str(limit))
        main = rig.pids()["postgres"]
        for pid in (main, *(p for p, it in accounting.snapshot().processes.items() if it.parent == main)):
            (group / "cgroup.procs").write_text(str(pid))
        said += f", page cache and all processes together {limit / 2**20:,.0f} MB by a memory cgroup"
    except OSError as error:
        said += f"; the page cache is NOT confined (no memory cgroup: {error.strerror})"
    rig.start(*SERVICES)
    return f"{said}; indexes {index_bytes / 2**20:,.0f} MB"


def _group(rig: Rig) -> Path:
    return GROUPS / f"creditbus-bench-{rig.layout.port_base}"


def extrapolated(points: Mapping[int, Mapping[str, Any]]) -> dict[str, float] | None:
    """CPU µs per record at 350 million, on a straight line over the logarithm of the size; None with one size."""
    if len(points) < 2:
        return None
    (low, first), *_, (high, last) = sorted(points.items())
    reach = math.log(PROVINCE / high) / math.log(high / low)
    return {part: round(last[part] + (last[part] - first[part]) * reach, 1) for part in ("services", "postgres")}


class Runs:
    """Each run of the workload is used once, so that its records are new."""

    def __init__(self, rig: Rig, count: int) -> None:
        self._rig = rig
        self._count = count
        self._doors = Doors(rig)
        self._workload = Workload(max(count, WARM), encoder(*item_schema(rig)), time.time_ns() // 1_000_000 - HOUR_MS)
        self._number = 1
        ours.warm_up(rig, self._doors, self._workload.run(1, WARM))

    def measure(self, rounds: int) -> dict[str, Any]:
        """CPU µs per record as the stores are now."""
        return split([self._one() for _ in range(rounds)])

    def _one(self) -> Measured:
        self._number += 1
        return ours.end_to_end(self._rig, self._doors, self._workload.run(self._number, self._count))


def measure(rig: Rig, tell: Tell) -> dict[str, Any]:
    """The report."""
    quick = rigs.quick()
    sizes = rigs.environment_numbers("SIZES", (100_000, 300_000) if quick else (10**6, 3 * 10**6, 10**7, 3 * 10**7))
    (rounds,) = rigs.environment_numbers("ROUNDS", (1 if quick else 3,))
    loaded = 3_000 if quick else 60_000
    runs, filler, index_bytes = Runs(rig, loaded), Filler(rig, tell), 0
    asyncio.run(filler.take())
    points: dict[int, dict[str, Any]] = {}
    skipped: list[int] = []
    for size in sorted(sizes):
        if shutil.disk_usage(rig.layout.var).free - (size - filler.stored) * BYTES_PER_RECORD < RESERVE:
            skipped.append(size)
            tell(f"{size:,}: left out, the disk is too small")
            continue
        index_bytes = asyncio.run(filler.fill(size))
        filler.stored = size
        tell(f"{size:,} records stand, indexes {index_bytes / 2**20:,.0f} MB")
        points[size] = runs.measure(rounds)
        tell(f"{size:,}: {points[size]}")
    how = confine(rig, index_bytes)
    confined = runs.measure(rounds)
    tell(f"confined ({how}): {confined}")
    return {
        "cpu_us_per_record": {str(size): point for size, point in points.items()},
        "growth": {
            part: round(points[max(points)][part] / points[min(points)][part], 3) for part in ("services", "postgres")
        },
        "left_out_for_disk": skipped,
        "loaded_per_round": loaded,
        "rounds": rounds,
        "confined": {**confined, "how": how},
        "extrapolated_to_350_million": extrapolated(points),
        "extrapolated_how": HOW,
    }


def main() -> None:
    """On a stack of its own."""
    began = time.monotonic()

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {line}\n")
        sys.stdout.flush()

    with rigs.standing(tell) as rig:
        group = _group(rig)
        found = measure(rig, tell)
    if group.exists():
        group.rmdir()
    (rigs.results() / "growth.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    tell(f"growth {found['growth']}, at 350 million by extrapolation {found['extrapolated_to_350_million']}")
    tell("the same as JSON: var/bench/growth.json")


if __name__ == "__main__":
    main()
