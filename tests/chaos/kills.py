"""F1: each service is killed at each crash point, under load, and started again by the supervisor."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from deploy.local import passwords, postgres
from deploy.local.layout import REPO, SERVICES
from deploy.local.programs import service_environment
from tests.chaos.fault import require
from tests.chaos.ground import Ground, NotWithin, until
from tests.chaos.reading import ask

POINTS = tuple(f"cp{number}" for number in range(1, 11))
HIGHEST = {"cp5": 8, "cp6": 5, "cp8": 3, "cp9": 2, "cp10": 2}  # which pass may be the last one; else 20
JOINS = {"cp8": 3, "cp10": 2}  # from this pass on it takes another member of the group to reach the point
DEATH_S = 90.0
TOGETHER = 2  # kills at a time, of different services


class Kill(NamedTuple):
    """One case of the matrix."""

    service: str
    point: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.service}:{self.point}:{self.seed}"


class NotMade(Exception):
    """A kill that could not be injected (the armed process ended otherwise, the point was not reached): no result."""


class Died(NamedTuple):
    """A case that was run."""

    kill: Kill
    passes: int
    recovery: float


def matrix(seed: int, seeds: int = 3, points: Sequence[str] = POINTS) -> list[Kill]:
    """Point by point, so that neighbours are different services."""
    return [Kill(service, point, seed + n) for n in range(seeds) for point in points for service in SERVICES]


def run(ground: Ground, kills: Sequence[Kill]) -> Iterator[Died]:
    """Every kill, a few at a time; raises at the first that does not recover. One that cannot be made is told of."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        for at in range(0, len(kills), TOGETHER):
            yield from filter(None, pool.map(partial(_made, ground), kills[at : at + TOGETHER]))


def _made(ground: Ground, kill: Kill) -> Died | None:
    try:
        return one(ground, kill)
    except NotMade as why:
        ground.tell(f"{kill.name} not made: {why}")
        return None


def one(ground: Ground, kill: Kill) -> Died:
    """Kill a service at a point; seconds from its death until it is ready and at lag 0."""
    passes = random.Random(kill.name).randint(1, HIGHEST.get(kill.point, 20))
    crash_at = f"{kill.service}:{kill.point}:{passes}"
    if kill.point == "cp9":
        return Died(kill, passes, in_a_migration(ground, kill, crash_at))
    mark = log_end(ground)
    pid_file = ground.order(kill.service, {"CREDIT_CRASH_AT": crash_at})
    ground.restart(kill.service)
    pid = int(until(lambda: pid_file.exists() and pid_file.read_text(), f"{kill.service} starts armed"))
    with _joined(ground, kill.service, pid, passes >= JOINS.get(kill.point, 99)):
        since = _death(ground, kill.service, crash_at, pid, mark)
        recovery = ground.recovery([kill.service], since)
    return Died(kill, passes, recovery)


@contextmanager
def _joined(ground: Ground, service: str, pid: int, wanted: bool) -> Generator[None]:
    """Another member in the group, if wanted, and until the killed one is well again: only one thing is broken at once.

    A static member does not leave: its lanes are given away when its session ends, and a rebalance waits for it until
    then. Stopped right after the kill it would be a second failure on top (measured: 26 s).
    """
    second = f"{service}-1"
    if wanted:  # not before it is a member itself: together they would make one rebalance of two
        until(lambda: gone(pid) or ground.ready(service), f"{service} is ready or dead")
        ground.supervisor.begin(second)
    try:
        yield
    finally:
        if wanted:
            ground.supervisor.stop([second])
            ground.recovery([service], time.monotonic())


def _death(ground: Ground, service: str, crash_at: str, pid: int, mark: int) -> float:
    """When the armed process died of its point; raises `NotMade`."""
    try:
        until(lambda: gone(pid), f"{crash_at} is reached", DEATH_S, 0.02)
        since = time.monotonic()
        said = f"exited: {service} (terminated by SIGKILL"
        until(lambda: said in log_since(ground, mark), f"{service} died of SIGKILL", 5)
    except NotWithin as why:
        raise NotMade(str(why)) from None
    return since


def gone(pid: int) -> bool:
    """Dead, whether or not its parent has noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True


def log_end(ground: Ground) -> int:
    """How long the supervisor's log is."""
    return (ground.layout.logs / "supervisord.log").stat().st_size


def log_since(ground: Ground, mark: int) -> str:
    """What the supervisor said since."""
    with (ground.layout.logs / "supervisord.log").open() as log:
        log.seek(mark)
        return log.read()


def in_a_migration(ground: Ground, kill: Kill, crash_at: str) -> float:
    """CP9 on an empty database of the service's own: killed, run again, it must be what the live one is."""
    name = f"chaos_{kill.service}_{kill.seed}"
    secret = passwords.password(ground.layout.secrets, postgres.SUPERUSER)
    superuser = ["-h", "127.0.0.1", "-p", str(ground.layout.port("postgres")), "-U", postgres.SUPERUSER, "-q"]
    psql = [str(postgres.installation() / "bin" / "psql"), *superuser, "-v", "ON_ERROR_STOP=1", "-Atc"]
    environment = os.environ | {"PGPASSWORD": secret}

    def sql(statement: str, database: str = postgres.SUPERUSER) -> str:
        command = [*psql, statement, database]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    sql(f"DROP DATABASE IF EXISTS {name}")
    sql(f"CREATE DATABASE {name} OWNER {kill.service}")
    try:
        killed = migrate(ground, kill.service, name, crash_at)
        since = time.monotonic()
        require(killed == -9, f"migrate ended with {killed}, not by SIGKILL")
        half = sql("SELECT count(*) FROM migrations", name).strip()
        require(
            int(half) == int(crash_at[-1]) - 1, f"{half} migrations stand after a kill inside number {crash_at[-1]}"
        )
        require(migrate(ground, kill.service, name, "") == 0, "the migration does not run again")
        done = time.monotonic() - since
        wanted = "SELECT room || number || checksum FROM migrations ORDER BY 1"
        live = [row[0] for row in ask(ground.doors, [(kill.service, wanted)])[0]]
        require(sql(wanted, name).split() == live, "the second run left something else than the live store has")
        return done
    finally:
        sql(f"DROP DATABASE {name}")


def migrate(ground: Ground, service: str, database: str, crash_at: str) -> int:
    """The service's own migration step on another database; its exit code."""
    layout = ground.layout
    dsn = f"postgresql://{service}@{layout.address('postgres')}/{database}"
    environment = os.environ | service_environment(layout, service)
    environment |= {"CREDIT_POSTGRES_DSN": dsn, "CREDIT_CRASH_AT": crash_at}
    command = [sys.executable, "-m", f"services.{service}", "migrate"]
    return subprocess.run(command, env=environment, cwd=REPO, capture_output=True, check=False, timeout=90).returncode
