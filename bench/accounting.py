"""CPU and memory of process trees, from the operating system's own accounting."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

TICK = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


class Usage(NamedTuple):
    """CPU seconds (user plus system, reaped children included) and peak memory in MB of a process tree."""

    cpu_s: float
    peak_mb: float


def usage(roots: Iterable[int]) -> Usage:
    """The sum over these processes and all their descendants."""
    table = {pid: row for pid in _pids() if (row := _stat(pid)) is not None}
    todo, cpu, peak = [pid for pid in roots if pid in table], 0.0, 0.0
    while todo:
        pid = todo.pop()
        cpu += table[pid][1]
        peak += _peak_mb(pid)
        todo += [child for child, (parent, _) in table.items() if parent == pid]
    return Usage(cpu, peak)


def machine_busy_s() -> float:
    """CPU seconds all processors have worked since boot."""
    values = [int(v) for v in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(values) - values[3] - values[4]) / TICK


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def _stat(pid: int) -> tuple[int, float] | None:
    try:
        fields = (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None  # it ended while we looked
    return int(fields[1]), sum(int(v) for v in fields[11:15]) / TICK


def _peak_mb(pid: int) -> float:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)
