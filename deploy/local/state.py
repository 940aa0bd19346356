"""What runs at this moment, for people and for programs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

from deploy.local.layout import Layout
from deploy.local.programs import Program, all_programs
from deploy.local.readiness import is_ready
from deploy.local.supervisor import Supervisor

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class ProgramState:
    """One supervised program that was started."""

    name: str
    state: str
    ready: bool
    pid: int
    megabytes: int
    seconds: int
    addresses: tuple[str, ...]


def read(layout: Layout) -> list[ProgramState]:
    """Every program that was started and not stopped; empty when the stack is down."""
    supervisor = Supervisor(layout)
    if not supervisor.running():
        return []
    entries = supervisor.processes()
    programs = [it for it in all_programs(layout).values() if entries.get(it.name, {}).get("start")]
    programs = [it for it in programs if entries[it.name]["statename"] != "STOPPED"]
    if not programs:
        return []
    with ThreadPoolExecutor(len(programs)) as pool:
        return list(pool.map(_state, repeat(layout), programs, [entries[program.name] for program in programs]))


def _state(layout: Layout, program: Program, entry: dict[str, Any]) -> ProgramState:
    pid, running = int(entry["pid"]), entry["statename"] in ("RUNNING", "STARTING")
    return ProgramState(
        name=program.name,
        state=str(entry["statename"]).lower(),
        ready=running and is_ready(layout, program),
        pid=pid,
        megabytes=_resident(pid) >> 20 if pid else 0,
        seconds=max(0, int(entry["now"]) - int(entry["start"])) if running else 0,
        addresses=tuple(f"127.0.0.1:{port}" for port in program.ports),
    )


def _resident(pid: int) -> int:
    """Bytes of a process and its children (PostgreSQL has one per session), shared pages once."""
    total = 0
    for process in (pid, *_children(pid)):
        try:
            pages = Path(f"/proc/{process}/statm").read_text().split()
        except OSError:
            continue
        total += (int(pages[1]) - (int(pages[2]) if process != pid else 0)) * PAGE
    return total


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def as_json(layout: Layout, found: Sequence[ProgramState] | None = None) -> dict[str, Any]:
    """The same as a plain table."""
    found = read(layout) if found is None else found
    return {
        "running": bool(found),
        "ready": bool(found) and all(program.ready for program in found),
        "var": str(layout.var),
        "port_base": layout.port_base,
        "megabytes": sum(program.megabytes for program in found),
        "programs": [asdict(program) for program in found],
    }
