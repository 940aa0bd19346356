"""Starts, stops and describes a whole stack: what is running afterwards is all of it or nothing of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.local import (
    address_file,
    broker,
    jars,
    kafka_admin,
    passwords,
    postgres,
    preflight,
    prometheus,
    registry,
    topics,
)
from deploy.local.faults import StackFault
from deploy.local.layout import INFRASTRUCTURE, REPO, SERVICES, Layout
from deploy.local.programs import Program, all_programs, service_environment
from deploy.local.readiness import wait_until_ready
from deploy.local.supervisor import Supervisor, configuration, write_configuration

Tell = Callable[[str], None]
AFTER_UNCLEAN_END_S = 15.0
FOUNDATION = (*INFRASTRUCTURE, "national", "prometheus")


def up(layout: Layout, only: Sequence[str] = (), tell: Tell = lambda line: None) -> None:
    """Start what is not running and wait until it can work; raises `StackFault` and leaves nothing half-started."""
    preflight.check_surroundings(layout)
    with _alone(layout):
        jars.fetch(layout, tell)
        programs = all_programs(layout)
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
        _start_in_order(layout, supervisor, wanted, tell)
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
    passwords.secret(layout.secrets / "identity.pepper")
    for role in (*SERVICES, registry.DATABASE):
        passwords.password(layout.secrets, role)
    steps: list[Callable[[Layout], None]] = [registry.prepare, prometheus.prepare]
    steps += [step for name, step in (("postgres", postgres.prepare), ("kafka", broker.prepare)) if name in missing]
    _side_by_side([lambda step=step: step(layout) for step in steps])
    address_file.write(layout)


def _start_in_order(layout: Layout, supervisor: Supervisor, wanted: list[Program], tell: Tell) -> None:
    """Databases and registry on one side, broker on the other, then the services on both."""
    start = _Starter(layout, supervisor, wanted, tell)
    start.begin("postgres", "kafka", "national", "prometheus")

    def databases() -> None:
        if start.ready("postgres"):
            postgres.make_databases(layout, (*SERVICES, registry.DATABASE))
        start.begin("registry")
        _migrate(layout, [program for program in wanted if program.name in SERVICES])
        if start.ready("registry"):
            registry.set_rules(layout)

    def topics_and_rights() -> None:
        if start.ready("kafka"):
            kafka_admin.apply(layout, topics.platform())

    _side_by_side([databases, topics_and_rights, lambda: _each(start.ready, ("national", "prometheus"))])
    services = [program.name for program in wanted if program.name not in FOUNDATION]
    start.begin(*services)
    _side_by_side([lambda name=name: _each(start.ready, (name,)) for name in services])


@dataclass(frozen=True, slots=True)
class _Starter:
    """Starts what is wanted and waits for it; what is not wanted is passed over."""

    layout: Layout
    supervisor: Supervisor
    wanted: list[Program]
    tell: Tell

    def begin(self, *names: str) -> None:
        for program in self.wanted:
            if program.name in names:
                self.supervisor.begin(program.name)

    def ready(self, name: str) -> bool:
        found = [program for program in self.wanted if program.name == name]
        for program in found:
            wait_until_ready(self.layout, self.supervisor, program)
            self.tell(f"{program.name} is ready")
        return bool(found)


def _each(step: Callable[[str], object], names: Iterable[str]) -> None:
    for name in names:
        step(name)


def _migrate(layout: Layout, services: Iterable[Program]) -> None:
    """Bring each service's own database to the edition of its code, before that code runs."""
    _side_by_side([lambda program=program: _migrate_one(layout, program.name) for program in services])


def _migrate_one(layout: Layout, name: str) -> None:
    command = [sys.executable, "-m", f"services.{name}", "migrate"]
    environment = {**os.environ, **service_environment(layout, name)}
    done = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, check=False)
    log = layout.logs / f"{name}-migrate.log"
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise StackFault(f"the database of {name} cannot be migrated ({lines[-1][:200]}): see {log}")


def _side_by_side(steps: Sequence[Callable[[], None]]) -> None:
    """Run steps at once; the first fault is raised when all have ended."""
    if not steps:
        return
    with ThreadPoolExecutor(len(steps)) as pool:
        for future in [pool.submit(step) for step in steps]:
            future.result()


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


def restart(layout: Layout, name: str) -> None:
    """Stop one program and start it again."""
    supervisor = Supervisor(layout)
    if not supervisor.running() or not configuration(layout).exists():
        raise StackFault("the stack is not running: credit up")
    supervisor.stop([name])
    supervisor.begin(name)
    wait_until_ready(layout, supervisor, all_programs(layout)[name])
