"""The stack that is measured: broker, registry, PostgreSQL and services of this clone, on ports and data of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from bench import accounting
from bench.accounting import Snapshot, Usage
from bench.workload import AGENCIES, ITEM
from deploy.local import kafka_admin, passwords, postgres, stack
from deploy.local.layout import REPO, SERVICES, Layout, principal
from deploy.local.programs import all_programs
from deploy.local.readiness import wait_until_ready
from deploy.local.supervisor import Supervisor
from services.cli import catalogue
from services.cli.agency import onboard
from services.cli.demo.agencies import AGENCIES as NAMES

RESULTS = REPO / "var" / "bench"
PORT_BASE = "27000"
HOUR_MS = 3_600_000  # submissions were produced an hour ago, so that none is ever of the future
INFRASTRUCTURE = ("kafka", "postgres", "registry", "national")
SETTLED_S = 60.0
Connection: TypeAlias = "asyncpg.Connection[Any]"


class Rig:
    """Starts and stops single programs, holds them, and says what each has used."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._supervisor = Supervisor(layout)
        self._programs = all_programs(layout)

    def start(self, *names: str) -> None:
        """Start programs that were running before or are on demand, and wait until they can work."""
        for name in names:
            self._supervisor.begin(name)
        for name in names:
            wait_until_ready(self.layout, self._supervisor, self._programs[name], threading.Event())

    def stop(self, *names: str) -> None:
        """Stop programs; those that do not run are passed over."""
        self._supervisor.stop(names)

    def only(self, *names: str) -> None:
        """Of all services exactly these run afterwards."""
        running = {name for name in self.pids() if name.split("-")[0] in SERVICES}
        self.stop(*sorted(running - set(names)))
        self.start(*names)

    def pids(self) -> dict[str, int]:
        """What runs, by name."""
        return {name: int(entry["pid"]) for name, entry in self._supervisor.processes().items() if entry["pid"]}

    @contextmanager
    def held(self, *names: str) -> Generator[None]:
        """These processes stand still meanwhile, as members of their group: a backlog grows in front of them.

        Shorter than the group's session of 10 s, lest the broker give their lanes away.
        """
        pids = [self.pids()[name] for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def settle(self, service: str, workers: int) -> None:
        """Wait until so many members of a group share the lanes of the agencies evenly."""
        wanted = 2 * len(AGENCIES) // workers
        deadline = time.monotonic() + SETTLED_S
        while (shares := self._shares(service)) != [wanted] * workers:
            if time.monotonic() > deadline:
                raise SystemExit(f"{service} does not share its lanes: {shares}; see {self.layout.logs}")
            time.sleep(0.5)

    def _shares(self, service: str) -> list[int]:
        admin = kafka_admin.client(self.layout)
        group = principal(service).removeprefix("svc-")
        found: Any = admin.describe_consumer_groups([group])[group].result(10)
        places = [[str(p.topic) for p in m.assignment.topic_partitions] for m in found.members]
        return [sum(topic.startswith("credit.submit.") for topic in topics) for topics in places]

    def usage(self, before: Snapshot, after: Snapshot, **more: int) -> Usage:
        """What was used by program; `more`: processes beside the stack by name."""
        return accounting.between(before, after, self.pids() | more)

    async def connect(self, role: str, database: str | None = None) -> Connection:
        """A session of a role in its own database, or another one."""
        secret = passwords.existing(self.layout.secrets, role)
        return await asyncpg.connect(self.layout.database(role), database=database, password=secret, timeout=10)

    async def rest(self) -> None:
        """What an earlier measurement left to the database to do is done before the next: rows are vacuumed and
        analysed, pages written. Else whoever comes next pays for it (measured: 70 us of each record end to end).
        """
        connection = await self.connect(postgres.SUPERUSER)
        try:
            for row in await connection.fetch("SELECT datname FROM pg_database WHERE datallowconn"):
                await self._vacuum(row["datname"])
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()

    async def _vacuum(self, database: str) -> None:
        connection = await self.connect(postgres.SUPERUSER, database)
        try:
            await connection.execute("VACUUM (ANALYZE)")
        finally:
            await connection.close()


def layout() -> Layout:
    """A stack beside any other: `CREDIT_VAR`/bench/stack, ports from `CREDIT_PORT_BASE` or 27000 on."""
    given = dict(os.environ)
    base = Layout.from_environment({"CREDIT_PORT_BASE": PORT_BASE, **given})
    return Layout(base.var / "bench" / "stack", base.port_base, base.cache)


def _end(number: int, frame: object) -> None:
    """As Ctrl-C does: whatever was started is ended on the way out."""
    sys.exit(128 + number)


@contextmanager
def standing(tell: stack.Tell, keep: bool = False) -> Generator[Rig]:
    """A fresh stack with three agencies that may report permits; stopped and deleted afterwards, also on SIGTERM."""
    signal.signal(signal.SIGTERM, _end)
    where = layout()
    stack.wipe(where)
    where.var.mkdir(parents=True)
    stack.up(where, tell=tell)
    try:
        for agency in AGENCIES:
            onboard(where, agency, NAMES[agency], (ITEM,))
        yield Rig(where)
    finally:
        if not keep:
            stack.wipe(where)


def submit_topics(agencies: Iterable[str] = AGENCIES) -> list[str]:
    """Where agencies publish."""
    return [f"credit.submit.{agency}.v1" for agency in agencies]


def receipt_topics(agencies: Iterable[str] = AGENCIES) -> list[str]:
    """Where they are answered."""
    return [f"credit.receipts.{agency}.v1" for agency in agencies]


def results() -> Path:
    """The folder of reports."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    return RESULTS


def quick() -> bool:
    """Whether little time was given."""
    return bool(os.environ.get("QUICK"))


def environment_numbers(name: str, default: Sequence[int]) -> list[int]:
    """Numbers separated by commas, from the environment."""
    text = os.environ.get(name, "")
    try:
        return [int(float(word)) for word in text.split(",")] if text else list(default)
    except ValueError:
        raise SystemExit(f"{name}={text}: must be numbers separated by commas") from None


def item_schema(rig: Rig, item: str = ITEM) -> tuple[int, dict[str, Any]]:
    """The id and the schema of an item, from the registry."""
    subject = catalogue.one(rig.layout, item).subject
    url = f"{rig.layout.registry_url}/subjects/{subject}/versions/latest"
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own
        found = json.load(answer)
    return int(found["id"]), json.loads(found["schema"])
