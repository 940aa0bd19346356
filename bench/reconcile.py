"""`make bench-reconcile`: how long `credit reconcile` takes over a million records, and that it names one deleted row.

All stores are filled with copies of the services' own rows (growth_fill.py); then it is run on equal stores, and again
with one row deleted from one store, and from two. It must be right each time.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from bench import accounting
from bench import rig as rigs
from bench.checks import equal
from bench.growth import WARM, Runs
from bench.growth_fill import Filler, Tell
from bench.rig import Rig

DELETED = {
    "disclosure": ("record_standing", "disclosure.standing"),
    "national_sync": ("exchanges", "national_sync.exchanges"),
}
ONE = """
DELETE FROM {table} WHERE record_id = (SELECT record_id FROM {table} WHERE version = 1 LIMIT 1) RETURNING record_id
"""


def reconciled(rig: Rig, missing: Mapping[str, str]) -> dict[str, Any]:
    """Seconds and CPU of one run, which must name exactly these: the record id by the view that lacks it."""
    environment = {**os.environ, "CREDIT_VAR": str(rig.layout.var), "CREDIT_PORT_BASE": str(rig.layout.port_base)}
    before, began = accounting.snapshot(), time.monotonic()
    command = [sys.executable, "-m", "services.cli", "reconcile", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds, used = time.monotonic() - began, rig.usage(before, accounting.snapshot())
    equal("reconcile: exit code", (done.returncode, done.stderr[-200:]), (1 if missing else 0, ""))
    said = json.loads(done.stdout)
    found = {pair["other"]: pair["differences"] for pair in said["pairs"] if pair["differences"]}
    wanted = {view: [{"record_id": i, "one": 1, "other": None}] for view, i in missing.items()}
    equal("reconcile: what is missing", found, wanted)
    cpu = {"postgres": round(used.cpu_s["postgres"], 1), "programs": round(used.cpu_s["harness"], 1)}
    records = max(n for pair in said["pairs"] for n in pair["records"])
    foreign = round(used.foreign_cores, 2)
    return {"records": records, "seconds": round(seconds, 1), "cpu_s": cpu, "foreign_cores": foreign}


async def delete(rig: Rig, role: str, table: str) -> str:
    """One row is gone; its record id."""
    store = await rig.connect(role)
    try:
        return (await store.fetchval(ONE.format(table=table))).hex()
    finally:
        await store.close()


def measure(rig: Rig, tell: Tell) -> dict[str, Any]:
    """The report."""
    (records,) = rigs.environment_numbers("RECORDS", (20_000 if rigs.quick() else 10**6,))
    Runs(rig, WARM)
    filler = Filler(rig, tell)
    asyncio.run(filler.take())
    asyncio.run(filler.fill(records))
    found = {"equal": reconciled(rig, {})}
    tell(f"equal stores: {found['equal']}")
    missing: dict[str, str] = {}
    for role, (table, view) in DELETED.items():
        missing[view] = asyncio.run(delete(rig, role, table))
        found[f"{len(missing)}_deleted"] = reconciled(rig, missing)
        tell(f"{len(missing)} deleted: {found[f'{len(missing)}_deleted']}")
    return found


def main() -> None:
    """On a stack of its own."""
    began = time.monotonic()

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s  {line}\n")
        sys.stdout.flush()

    with rigs.standing(tell) as rig:
        found = measure(rig, tell)
    (rigs.results() / "reconcile.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    tell("every deleted row was named, and nothing else; the same as JSON: var/bench/reconcile.json")


if __name__ == "__main__":
    main()
