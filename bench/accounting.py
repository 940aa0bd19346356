"""CPU and memory of process trees, from the operating system's own accounting."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


class Process(NamedTuple):
    """CPU seconds (user plus system, reaped children included), memory in MB now and at most, and its title."""

    parent: int
    cpu_s: float
    rss_mb: float
    shared_mb: float
    peak_mb: float
    title: str


class Snapshot(NamedTuple):
    """All processes at one moment (s, monotonic), and the CPU seconds all processors have worked since boot."""

    processes: Mapping[int, Process]
    busy_s: float
    at_s: float

    def tree(self, root: int) -> Iterator[Process]:
        """A process and its descendants; nothing for one that is not there."""
        todo = [root] if root in self.processes else []
        while todo:
            pid = todo.pop()
            yield self.processes[pid]
            todo += [child for child, process in self.processes.items() if process.parent == pid]

    def cpu_s(self, root: int) -> float:
        """CPU seconds of a tree."""
        return sum(process.cpu_s for process in self.tree(root))

    def rss_mb(self, root: int) -> float:
        """Memory now; of a tree with what its processes share counted once."""
        tree = list(self.tree(root))
        return sum(it.rss_mb - it.shared_mb for it in tree) + max((it.shared_mb for it in tree), default=0.0)

    def peak_mb(self, root: int) -> float:
        """Memory at most of a single process; of a tree, memory now: when its parts had their most is not known."""
        tree = list(self.tree(root))
        return tree[0].peak_mb if len(tree) == 1 else self.rss_mb(root)


def snapshot() -> Snapshot:
    """What the operating system says now."""
    found = {pid: process for pid in _pids() if (process := _process(pid)) is not None}
    values = [int(v) for v in (PROC / "stat").read_text().splitlines()[0].split()[1:9]]
    return Snapshot(found, (sum(values) - values[3] - values[4]) / TICK, time.monotonic())


class Usage(NamedTuple):
    """What was used between two moments: CPU seconds and MB at most by name; `foreign_s`: by everybody else."""

    seconds: float
    cpu_s: Mapping[str, float]
    peak_mb: Mapping[str, float]
    foreign_s: float

    @property
    def foreign_cores(self) -> float:
        """How many cores others kept busy."""
        return max(0.0, self.foreign_s) / self.seconds if self.seconds else 0.0


def between(before: Snapshot, after: Snapshot, roots: Mapping[str, int]) -> Usage:
    """The trees of these roots; this process alone, without its children, belongs to them as `harness`."""
    cpu = {name: after.cpu_s(pid) - before.cpu_s(pid) for name, pid in roots.items()}
    cpu["harness"] = after.processes[os.getpid()].cpu_s - before.processes[os.getpid()].cpu_s
    peak = {name: after.peak_mb(pid) for name, pid in roots.items()}
    return Usage(after.at_s - before.at_s, cpu, peak, after.busy_s - before.busy_s - sum(cpu.values()))


def by_database(before: Snapshot, after: Snapshot, postgres: int) -> dict[str, float]:
    """CPU seconds of PostgreSQL's sessions by their database, and of everything else in it as `background`."""
    used: dict[str, float] = {}
    ours = {postgres, *(pid for pid, process in after.processes.items() if process.parent == postgres)}
    for pid in ours & after.processes.keys():
        earlier = before.processes.get(pid)
        seconds = after.processes[pid].cpu_s - (earlier.cpu_s if earlier else 0.0)
        name = _database(after.processes[pid].title)
        used[name] = used.get(name, 0.0) + seconds
    return used


def _database(title: str) -> str:
    """A session's title is `postgres: role database address(port) state`."""
    words = title.split()
    return words[2] if len(words) > 3 and words[0] == "postgres:" and "(" in words[3] else "background"


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def _process(pid: int) -> Process | None:
    folder = PROC / str(pid)
    try:
        fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        status = (folder / "status").read_text().splitlines()
        shared = int((folder / "statm").read_text().split()[2])
        title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None  # it ended while we looked
    cpu = sum(int(v) for v in fields[11:15]) / TICK
    peak = next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")), 0.0)
    megabyte = PAGE / 2**20
    return Process(int(fields[1]), cpu, int(fields[21]) * megabyte, shared * megabyte, peak, title)
