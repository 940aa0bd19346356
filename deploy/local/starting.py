"""The order in which programs are started: each as soon as what it stands on can work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from deploy.local import kafka_admin, postgres, registry, topics
from deploy.local.faults import StackFault
from deploy.local.layout import INFRASTRUCTURE, REPO, SERVICES, Layout
from deploy.local.programs import Program, service_environment
from deploy.local.readiness import wait_until_ready
from deploy.local.supervisor import Supervisor

Tell = Callable[[str], None]
FOUNDATION = (*INFRASTRUCTURE, "national", "prometheus")


def start_in_order(layout: Layout, supervisor: Supervisor, wanted: list[Program], tell: Tell) -> None:
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

    side_by_side(
        [databases, topics_and_rights, lambda: _each(start.ready, ("national", "prometheus"))], start.abandoned
    )
    services = [program.name for program in wanted if program.name not in FOUNDATION]
    start.begin(*services)
    side_by_side([lambda name=name: _each(start.ready, (name,)) for name in services], start.abandoned)
    if "ingestion" in services:
        _run_step(layout, "ingestion", "catalogue", "the shipped catalogue cannot be put in force")


@dataclass(frozen=True, slots=True)
class _Starter:
    """Starts what is wanted and waits for it; what is not wanted is passed over."""

    layout: Layout
    supervisor: Supervisor
    wanted: list[Program]
    tell: Tell
    abandoned: threading.Event = field(default_factory=threading.Event)

    def begin(self, *names: str) -> None:
        for program in self.wanted:
            if program.name in names:
                self.supervisor.begin(program.name)

    def ready(self, name: str) -> bool:
        found = [program for program in self.wanted if program.name == name]
        for program in found:
            wait_until_ready(self.layout, self.supervisor, program, self.abandoned)
            self.tell(f"{program.name} is ready")
        return bool(found)


def _each(step: Callable[[str], object], names: Iterable[str]) -> None:
    for name in names:
        step(name)


def _migrate(layout: Layout, services: Iterable[Program]) -> None:
    """Bring each service's own database to the edition of its code, before that code runs."""
    side_by_side([lambda program=program: _migrate_one(layout, program.name) for program in services])


def _migrate_one(layout: Layout, name: str) -> None:
    _run_step(layout, name, "migrate", f"the database of {name} cannot be migrated")


def _run_step(layout: Layout, name: str, step: str, trouble: str) -> None:
    """One of a service's own steps, to its end."""
    command = [sys.executable, "-m", f"services.{name}", step]
    environment = {**os.environ, **service_environment(layout, name)}
    done = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, check=False)
    log = layout.logs / f"{name}-{step}.log"
    log.write_text(done.stdout + done.stderr)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise StackFault(f"{trouble} ({lines[-1][:200]}): see {log}")


def side_by_side(steps: Sequence[Callable[[], object]], abandoned: threading.Event | None = None) -> None:
    """Run steps at once; the first fault, or the wish to end, tells the others that waiting has no sense any more."""
    if not steps:
        return
    with ThreadPoolExecutor(len(steps)) as pool:
        futures = [pool.submit(step) for step in steps]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            if abandoned is not None:
                abandoned.set()
            raise
