"""`make bench-growth`: CPU µs per record, services and PostgreSQL, as the stores grow, and once with little memory.

Between measurements the stores are filled straight by SQL with rows whose keys have the services' own shape (records by
agency and rising number, everything downstream by hash) but whose contents are short, so that more of them fit: index
depth and locality are real, heap size is not. SIZES= chooses; a size for which the disk is too small is left out, and
said so. The last size is measured again with PostgreSQL restarted on 32 MB of shared buffers and, where this machine
lets us, in a memory cgroup of half of its indexes' size (at least 512 MB).
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import accounting, ours
from bench import rig as rigs
from bench.backlog import Doors
from bench.rig import HOUR_MS, Rig, item_schema
from bench.workload import AGENCIES, PER_SUBJECT, Workload, encoder
from deploy.local.layout import SERVICES

CHUNK = 100_000
BYTES_PER_RECORD = 2_000  # of all stores together, as filled here, with indexes and log
RESERVE = 6 * 2**30
PROVINCE = 350_000_000
GROUPS = Path("/sys/fs/cgroup/memory")
LEAST = 512 * 2**20  # below, the sessions of the services alone do not fit
RECORD = "decode(md5('grown ' || r), 'hex')"
SUBJECT = f"decode(md5('grown subject ' || r / {PER_SUBJECT}), 'hex')"
SOURCE = "FROM generate_series($1::int, $2::int) AS r"
SUBJECTS = f"FROM generate_series($1::int / {PER_SUBJECT}, $2::int / {PER_SUBJECT}) AS s"
OF_SUBJECT = "decode(md5('grown subject ' || s), 'hex')"
FILLS: Mapping[str, tuple[str, ...]] = {
    "ingestion": (
        f"""INSERT INTO records SELECT ('{{{",".join(AGENCIES)}}}'::text[])[r % {len(AGENCIES)} + 1], 'org-permit',
        'A' || lpad(r::text, 12, '0'), 1, false, 0, 0, 1, 1, {RECORD}, {RECORD},
        '\\x0011223344556677'::bytea, {RECORD} {SOURCE} ON CONFLICT DO NOTHING""",
    ),
    "identity": (
        f"INSERT INTO record_links SELECT {RECORD}, {SUBJECT}, 1, 'USCC', ARRAY['uscc'], now() {SOURCE}",
        f"INSERT INTO subjects SELECT {OF_SUBJECT}, 'org', NULL, 0, 1, '[]'::jsonb {SUBJECTS} ON CONFLICT DO NOTHING",
    ),
    "disclosure": (
        f"INSERT INTO record_standing SELECT {RECORD}, 1, {SUBJECT}, false {SOURCE}",
        f"""INSERT INTO disclosed_records (subject_id, record_id, version, in_public, in_government, item, item_version,
        agency, submission_id, decided_on, accepted_at, fields, changed_at) SELECT {SUBJECT}, {RECORD}, 1, true, true,
        'org-permit', 1, '{AGENCIES[0]}', 'A' || r, DATE '2019-01-01', 0, '\\x00'::bytea, 0 {SOURCE}""",
        f"INSERT INTO subject_files SELECT {OF_SUBJECT}, 6, 6 {SUBJECTS} ON CONFLICT DO NOTHING",
    ),
    "national_sync": (
        f"""INSERT INTO exchanges SELECT {RECORD}, 1, 'org-permit', 'put', 'ACKNOWLEDGED', 1, 1, true, {RECORD}, now(),
        now() {SOURCE}""",
    ),
}
INDEXES = "SELECT coalesce(sum(pg_relation_size(indexrelid)), 0)::bigint FROM pg_index"
Tell = Callable[[str], None]


async def fill(rig: Rig, begin: int, end: int) -> int:
    """Rows `begin` to `end` in every store; the bytes of all its indexes afterwards."""
    size = 0
    for role, statements in FILLS.items():
        connection = await rig.connect(role)
        try:
            await connection.execute("SET statement_timeout = 0; SET synchronous_commit = off")
            for at in range(begin, end, CHUNK):
                for statement in statements:
                    await connection.execute(statement, at, min(at + CHUNK, end) - 1)
            await connection.execute("ANALYZE")
            size += int(await connection.fetchval(INDEXES))
        finally:
            await connection.close()
    return size


def split(cpu_us: Mapping[str, float]) -> dict[str, float]:
    """The services together, and PostgreSQL, per record."""
    services = sum(
        cpu_us.get(name, 0.0) for name in ("ingestion", "identity", "disclosure", "sanctions", "national_sync")
    )
    return {"services": round(services, 1), "postgres": round(cpu_us["postgres"], 1)}


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


def extrapolated(points: Mapping[int, Mapping[str, float]]) -> dict[str, float] | None:
    """CPU µs per record at 350 million, on a straight line over the logarithm of the size; None with one size."""
    if len(points) < 2:
        return None
    (low, first), *_, (high, last) = sorted(points.items())
    reach = math.log(PROVINCE / high) / math.log(high / low)
    return {part: round(last[part] + (last[part] - first[part]) * reach, 1) for part in ("services", "postgres")}


def measure(rig: Rig, tell: Tell) -> dict[str, Any]:
    """The report."""
    quick = rigs.quick()
    sizes = rigs.environment_numbers("SIZES", (100_000, 300_000) if quick else (10**6, 3 * 10**6, 10**7, 3 * 10**7))
    loaded = 3_000 if quick else 60_000
    workload = Workload(max(loaded, 3_000), encoder(*item_schema(rig)), time.time_ns() // 1_000_000 - HOUR_MS)
    doors, number, stored, index_bytes = Doors(rig), 2, 0, 0
    ours.warm_up(rig, doors, workload.run(1, 3_000))
    points: dict[int, dict[str, float]] = {}
    skipped: list[int] = []
    for size in sorted(sizes):
        if shutil.disk_usage(rig.layout.var).free - (size - stored) * BYTES_PER_RECORD < RESERVE:
            skipped.append(size)
            tell(f"{size:,}: left out, the disk is too small")
            continue
        index_bytes = asyncio.run(fill(rig, stored, size))
        stored = size
        tell(f"{size:,} records stand, indexes {index_bytes / 2**20:,.0f} MB")
        points[size] = split(ours.end_to_end(rig, doors, workload.run(number, loaded)).cpu_us)
        number += 1
        tell(f"{size:,}: {points[size]}")
    how = confine(rig, index_bytes)
    confined = split(ours.end_to_end(rig, doors, workload.run(number, loaded)).cpu_us)
    tell(f"confined ({how}): {confined}")
    return {
        "cpu_us_per_record": {str(size): point for size, point in points.items()},
        "growth": {
            part: round(points[max(points)][part] / points[min(points)][part], 3) for part in ("services", "postgres")
        },
        "left_out_for_disk": skipped,
        "loaded_per_size": loaded,
        "confined": {**confined, "how": how},
        "extrapolated_to_350_million": extrapolated(points),
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
