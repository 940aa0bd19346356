"""`make bench`: registrations through all five services, and COPY of the same rows in the same run.

Prints end-to-end records/s, CPU µs per record by process from the operating system's accounting, and the ratio to a
binary COPY of the very rows that ingestion stored. Absolute rates are of this machine and this moment; ratios are not.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import asyncpg
from rich.console import Console
from rich.table import Table

from bench.accounting import machine_busy_s, usage
from bench.copy_limit import copy_rate
from deploy.local import passwords, stack, state
from deploy.local.layout import REPO, Layout
from services.cli import catalogue
from services.cli.agency import onboard
from services.cli.demo.agencies import AGENCIES, REGISTRAR
from services.cli.demo.observer import GOVERNMENT, LINKED, PUBLIC
from services.cli.demo.plan import REGISTRATION
from services.cli.outsider import Offsets, Reader, Registry
from services.cli.publishing import Submitter
from services.cli.rows import Sender, submission
from services.cli.synthetic.registrations import registrations

ROUNDS, RECORDS = 3, 30_000
QUICK_ROUNDS, QUICK_RECORDS = 1, 10_000
PATIENCE_S = 120.0
ACCEPTED = "credit.ingestion.record.v1"
ARRIVALS = {"receipt": f"credit.receipts.{REGISTRAR}.v1", "linked": LINKED, "public": PUBLIC, "government": GOVERNMENT}


class Round(NamedTuple):
    """One load, from the first message published to the last one on each topic."""

    records: int
    seconds: Mapping[str, float]
    cpu_us: Mapping[str, float]
    foreign_us: float
    rss_mb: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Records per second, end to end."""
        return self.records / max(self.seconds.values())


def main() -> None:
    """Run it on a stack of its own, which is stopped and deleted afterwards."""
    quick = bool(os.environ.get("QUICK"))
    rounds, records = (QUICK_ROUNDS, QUICK_RECORDS) if quick else (ROUNDS, RECORDS)
    layout = Layout(REPO / "var" / "bench" / "stack", 27_000, REPO / ".cache")
    with _stack(layout):
        measured = [_round(layout, number, records) for number in range(rounds)]
        copied = asyncio.run(_copy(layout, rounds))
    report = _report(measured, copied)
    file = REPO / "var" / "bench" / "report.json"
    file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    _show(report)
    sys.stdout.write(f"the same as JSON: {file.relative_to(REPO)}\n")


@contextmanager
def _stack(layout: Layout) -> Generator[None]:
    stack.wipe(layout)
    layout.var.mkdir(parents=True)
    stack.up(layout)
    try:
        onboard(layout, REGISTRAR, AGENCIES[REGISTRAR], ())
        yield
    finally:
        stack.wipe(layout)


def _round(layout: Layout, number: int, records: int) -> Round:
    values = _encoded(layout, number, records)
    with Reader(layout) as reader:
        before = reader.ends([*ARRIVALS.values(), ACCEPTED])
        cpu, busy = _cpu(layout), machine_busy_s()
        started = time.time_ns() / 1e9
        _publish(layout, values)
        ended = _arrive(reader, before, records)
        used = {name: after - cpu.get(name, 0.0) for name, after in _cpu(layout).items()}
        foreign = machine_busy_s() - busy - sum(used.values())
    seconds = {name: moment - started for name, moment in ended.items()}
    per_record = {name: 1e6 * value / records for name, value in used.items()}
    rss = {program.name: float(program.megabytes) for program in state.read(layout)}
    return Round(records, seconds, per_record, 1e6 * foreign / records, rss)


def _encoded(layout: Layout, number: int, records: int) -> list[tuple[str, bytes]]:
    """Submissions of clean generated registrations, encoded before the clock starts."""
    item, registry = catalogue.one(layout, REGISTRATION), Registry(layout)
    encode, sender = registry.serializer(item.subject), Sender(REGISTRAR, f"bench{number}", time.time_ns() // 1_000_000)
    made: list[tuple[str, bytes]] = []
    for line, row in enumerate(registrations(number, records)):
        record = submission(item, sender, line, {**row, "record_no": f"bench{number}-{line:07}"})
        made.append((record["record_no"], encode(record, f"credit.submit.{REGISTRAR}.v1")))
    return made


def _publish(layout: Layout, values: Sequence[tuple[str, bytes]]) -> None:
    door = Submitter(layout, Registry(layout), REGISTRAR)
    for key, value in values:
        door.publish_bytes(key, value)
    door.finish()


def _arrive(reader: Reader, before: Offsets, records: int) -> dict[str, float]:
    """When each topic had everything (seconds since 1970), by the times its last messages bear: watching costs CPU.

    A refused record has a receipt and nothing else; as many as were accepted must come out at the end.
    """
    moved_at, length = time.monotonic(), -1
    while True:
        ends = reader.ends([*ARRIVALS.values(), ACCEPTED])
        grown = {name: _grown(before, ends, topic) for name, topic in {**ARRIVALS, "accepted": ACCEPTED}.items()}
        if grown["receipt"] >= records and all(grown[name] >= grown["accepted"] for name in ARRIVALS):
            return {name: _last(reader, before, topic) for name, topic in ARRIVALS.items()}
        if sum(grown.values()) != length:
            moved_at, length = time.monotonic(), sum(grown.values())
        if time.monotonic() - moved_at > PATIENCE_S:
            raise SystemExit(f"nothing arrives any more: {grown}; see the logs under var/bench/stack/log")
        time.sleep(0.5)


def _grown(before: Offsets, ends: Offsets, topic: str) -> int:
    return sum(end - before.get(place, 0) for place, end in ends.items() if place[0] == topic)


def _last(reader: Reader, before: Offsets, topic: str) -> float:
    return max(message.timestamp()[1] for message in reader.read([topic], dict(before))) / 1000


def _cpu(layout: Layout) -> dict[str, float]:
    return {program.name: usage([program.pid]).cpu_s for program in state.read(layout) if program.pid}


async def _copy(layout: Layout, rounds: int) -> list[float]:
    """Rows per second of COPY alone, with nothing else running."""
    connection = await asyncpg.connect(
        layout.database("ingestion"), password=passwords.existing(layout.secrets, "ingestion")
    )
    try:
        return [(await copy_rate(connection, "records"))[1] for _ in range(rounds)]
    finally:
        await connection.close()


def _report(measured: Sequence[Round], copied: Sequence[float]) -> dict[str, Any]:
    names = sorted({name for one in measured for name in one.cpu_us})
    rates, receipts = [one.rate for one in measured], [one.records / one.seconds["receipt"] for one in measured]
    cpu = {name: statistics.median(one.cpu_us.get(name, 0.0) for one in measured) for name in names}
    return {
        "records": sum(one.records for one in measured),
        "rounds": len(measured),
        "records_per_s": {"end_to_end": _spread(rates), "receipts": _spread(receipts), "copy": _spread(copied)},
        "ratios": {
            "end_to_end_vs_copy": statistics.median(rates) / statistics.median(copied),
            "receipts_vs_copy": statistics.median(receipts) / statistics.median(copied),
        },
        "cpu_us_per_record": {**cpu, "publisher and others": statistics.median(one.foreign_us for one in measured)},
        "rss_mb": measured[-1].rss_mb,
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _show(report: Mapping[str, Any]) -> None:
    console = Console()
    table = Table(title=f"{report['records']:,} registrations in {report['rounds']} round(s)", title_justify="left")
    for name in ("records/s", "median", "min", "max"):
        table.add_column(name, justify="left" if name == "records/s" else "right")
    for name, spread in report["records_per_s"].items():
        table.add_row(name, *(f"{spread[key]:,.0f}" for key in ("median", "min", "max")))
    console.print(table)
    for name, ratio in report["ratios"].items():
        console.print(f"{name} {ratio:.3f}", highlight=False)
    costs = Table(title="CPU µs per record, and memory", title_justify="left")
    for name in ("process", "µs", "MB"):
        costs.add_column(name, justify="left" if name == "process" else "right")
    for name, cost in report["cpu_us_per_record"].items():
        costs.add_row(name, f"{cost:,.1f}", f"{report['rss_mb'].get(name, 0):,.0f}" if name in report["rss_mb"] else "")
    console.print(costs)


if __name__ == "__main__":
    main()
