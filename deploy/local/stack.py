"""Starts, stops and describes a whole stack: what is running afterwards is all of it or nothing of it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from deploy.local import (
    address_file,
    broker,
    jars,
    operators,
    passwords,
    postgres,
    preflight,
    prometheus,
    registry,
    topics,
)
from deploy.local.faults import StackFault
from deploy.local.layout import INFRASTRUCTURE, SERVICES, Layout
from deploy.local.programs import Program, all_programs
from deploy.local.starting import Tell, side_by_side, start_in_order
from deploy.local.supervisor import Supervisor
from deploy.local.supervisor_file import write_configuration

AFTER_UNCLEAN_END_S = 15.0


def up(
    layout: Layout,
    only: Sequence[str] = (),
    tell: Tell = lambda line: None,
    edit: Callable[[Program], Program] = lambda program: program,
) -> None:
    """Start what is not running and wait until it can work; raises `StackFault` and leaves nothing half-started.

    `edit` changes what is run: a test starts services through a launcher of its own.
    """
    preflight.check_surroundings(layout)
    with _alone(layout):
        jars.fetch(layout, tell)
        programs = {name: edit(program) for name, program in all_programs(layout).items()}
        wanted = _wanted(programs, only)
        _start(layout, programs, wanted, tell)


def _wanted(programs: dict[str, Program], only: Sequence[str]) -> list[Program]:
    if not only:
        return [program for program in programs.values() if not program.on_demand]
    names: list[str] = []
    for name in only:
        names += {"infra": INFRASTRUCTURE, "services": SERVICES}.get(name, (name,))
    unknown = [name for name in names if name not in programs]
    if unknown:
        raise StackFault(f"there is no program {unknown[0]!r}: choose from infra, services, {', '.join(programs)}")
    return [program for program in programs.values() if program.name in names]


def _start(layout: Layout, programs: dict[str, Program], wanted: list[Program], tell: Tell) -> None:
    supervisor = Supervisor(layout)
    fresh = not supervisor.running()
    alive = set[str]() if fresh else _alive(supervisor)
    missing = [program for program in wanted if program.name not in alive]
    unclean = fresh and (layout.var / "supervisord.pid").exists()
    preflight.check_ports(missing, AFTER_UNCLEAN_END_S if unclean else 0.5)
    try:
        _prepare(layout, {program.name for program in missing})
        write_configuration(layout, programs.values())
        supervisor.start() if fresh else supervisor.reread()
        start_in_order(layout, supervisor, wanted, tell)
    except BaseException:
        if fresh:
            _end(supervisor)
        else:
            supervisor.stop(program.name for program in missing)
        raise


def _alive(supervisor: Supervisor) -> set[str]:
    states = supervisor.processes()
    return {name for name, entry in states.items() if entry["statename"] in ("RUNNING", "STARTING", "BACKOFF")}


def _prepare(layout: Layout, missing: set[str]) -> None:
    """Everything that is written before a program runs; the two slow first times go side by side."""
    passwords.keys(layout.secrets)
    operators.prepare(layout)
    for role in (*SERVICES, registry.DATABASE, *topics.platform().principals):
        passwords.password(layout.secrets, role)
    steps: list[Callable[[Layout], None]] = [registry.prepare, prometheus.prepare]
    steps += [step for name, step in (("postgres", postgres.prepare), ("kafka", broker.prepare)) if name in missing]
    side_by_side([lambda step=step: step(layout) for step in steps])
    address_file.write(layout)


def is_up(layout: Layout) -> bool:
    """Whether the supervisor runs."""
    return layout.var.is_dir() and Supervisor(layout).running()


def down(layout: Layout) -> bool:
    """Stop everything; False if nothing ran."""
    if not layout.var.is_dir():
        return False
    with _alone(layout):
        supervisor = Supervisor(layout)
        if not supervisor.running():
            return False
        _end(supervisor)
        return True


def _end(supervisor: Supervisor) -> None:
    """Services first, so that they can still say goodbye; what they stand on last."""
    if not supervisor.running():
        return
    alive = _alive(supervisor)
    supervisor.stop(alive - set(INFRASTRUCTURE))
    supervisor.stop(alive & {"kafka", "registry"})
    supervisor.stop(alive & {"postgres"})
    supervisor.shutdown()


def wipe(layout: Layout) -> bool:
    """Stop everything and delete the folder; False if there is none."""
    if not layout.var.exists():
        return False
    if not (layout.var / preflight.MARK).is_file():
        raise StackFault(f"{layout.var} was not made by this program (no {preflight.MARK} in it): delete it by hand")
    down(layout)
    shutil.rmtree(layout.var)
    return True


@contextmanager
def _alone(layout: Layout) -> Generator[None]:
    """Two `credit up` on one folder come one after the other."""
    with (layout.var / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
