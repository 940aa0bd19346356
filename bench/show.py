"""The report for people: tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.report import NOISY_CORES

PARTS = {"broker": ("kafka",), "PostgreSQL": ("postgres",), "registry": ("registry",)}
WIDTH = 110  # where nobody looks but a log
SERVICES = ("ingestion", "ingestion-1", "identity", "disclosure", "sanctions", "national_sync")


def show(report: Mapping[str, Any]) -> None:
    """Rates with what each contestant does, ratios, costs, memory, latency."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(_rates(report))
    for name, text in report["does"].items():
        console.print(f"  {name}: {text}")
    console.print(_ratios(report), _costs(report))
    if report["quick"]:
        console.print("QUICK: few records, one round, JVMs not warm; good for seeing that all works, not for figures")
    for load, times in report["latency_ms"].items():
        console.print(f"latency at {load}: {_latency(times)}")


def _latency(times: Mapping[str, Any]) -> str:
    stages = [f"{stage} p50 {t['p50']:.1f} p99 {t['p99']:.1f} ms" for stage, t in times.items() if isinstance(t, dict)]
    return "; ".join(stages)


def _rates(report: Mapping[str, Any]) -> Table:
    c = report["conditions"]
    title = f"records/s of {c['record_bytes']} bytes, {c['rounds']} round(s), {c['cores']} cores for everything"
    table = Table(title=title, title_justify="left")
    for name in ("contestant", "median", "min", "max", "2nd half", "foreign cores"):
        table.add_column(name, justify="left" if name == "contestant" else "right")
    for name, s in report["records_per_s"].items():
        half, foreign = report["second_half_per_s"].get(name), report["foreign_cores"][name]["max"]
        noisy = f"{foreign:.2f}{' noisy' if foreign > NOISY_CORES else ''}"
        rates = [f"{s[key]:,.0f}" for key in ("median", "min", "max")]
        table.add_row(name, *rates, f"{half['median']:,.0f}" if half else "", noisy)
    return table


def _ratios(report: Mapping[str, Any]) -> Table:
    table = Table(title="ratios, each within its round", title_justify="left")
    for name in ("ratio", "median", "min", "max", "to a warm JVM"):
        table.add_column(name, justify="left" if name == "ratio" else "right")
    for name, s in report["ratio_spread"].items():
        warm = report["ratios_to_second_half"][name]
        table.add_row(name, *(f"{s[key]:.2f}" for key in ("median", "min", "max")), f"{warm:.2f}")
    return table


def _costs(report: Mapping[str, Any]) -> Table:
    table = Table(title="CPU µs per record, and memory of the client or services", title_justify="left")
    for name in ("contestant", "client/services", *PARTS, "simulator", "sum", "MB"):
        table.add_column(name, justify="left" if name == "contestant" else "right")
    for name, cost in report["cpu_us_per_record"].items():
        own = {part: used for part, used in cost.items() if part in SERVICES or part.startswith("client")}
        if name.startswith("copy"):
            own = {"harness": cost["harness"]}
        parts = [sum(cost.get(p, 0.0) for p in names) for names in PARTS.values()]
        simulator = cost.get("national", 0.0)
        memory = sum(mb for part, mb in report["rss_mb"][name].items() if part in own)
        figures = [sum(own.values()), *parts, simulator, sum(own.values()) + sum(parts) + simulator]
        table.add_row(name, *(f"{f:,.1f}" for f in figures), f"{memory:,.0f}" if memory else "")
    return table
