"""What is kept of one run of one contestant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench import accounting
from bench.accounting import Snapshot
from bench.rig import Rig


@dataclass(frozen=True, slots=True)
class Measured:
    """Rates in records/s, costs in CPU µs per record, memory in MB; the accounts may last longer than the rate."""

    records: int
    seconds: float
    per_s: float
    second_half_per_s: float | None
    cpu_us: Mapping[str, float]
    rss_mb: Mapping[str, float]
    foreign_cores: float
    stages_per_s: Mapping[str, float] = field(default_factory=dict[str, float])


def measured(
    rig: Rig,
    records: int,
    seconds: float,
    accounts: tuple[Snapshot, Snapshot],
    more: Mapping[str, int] | None = None,
    second_half_per_s: float | None = None,
    stages_per_s: Mapping[str, float] | None = None,
) -> Measured:
    """Divides what was used between two moments by the records; `more`: processes beside the stack, by name."""
    usage = rig.usage(*accounts, **(more or {}))
    split = accounting.by_database(*accounts, rig.pids()["postgres"])
    used = {**usage.cpu_s, **{f"postgres: {name}": seconds for name, seconds in split.items()}}
    cpu = {name: 1e6 * cpu_s / records for name, cpu_s in used.items()}
    memory = {name: mb for name, mb in usage.peak_mb.items() if mb}
    rate = records / seconds
    return Measured(records, seconds, rate, second_half_per_s, cpu, memory, usage.foreign_cores, stages_per_s or {})
