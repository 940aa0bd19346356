"""The system under test: a stack of its own, whose services start through the launcher, and the ways to hurt it."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import urllib.request
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from deploy.local import address_file, stack
from deploy.local.layout import SERVICES, Layout
from deploy.local.programs import Program
from deploy.local.supervisor import Supervisor
from services.cli.demo.agencies import onboard_all
from tests.chaos import reading
from tests.chaos.load import Load
from tests.chaos.reading import Doors, Unreadable
from tests.chaos.verify import Verdict, Verifier

Tell = Callable[[str], None]
SETTLE_S = 90.0
# How much longer than usual to wait before giving up, for a machine that is busy with something else. No budget grows.
PATIENCE = float(os.environ.get("CHAOS_PATIENCE", "1"))
TELL_S = 10.0
SAMPLE_S = 1.0  # recovered: everything that was in its topics a second ago is read


class NotWithin(AssertionError):
    """Something did not happen in its time."""


def until(check: Callable[[], Any], what: str, seconds: float = 60.0, pause: float = 0.1) -> Any:
    """The first true answer; raises `NotWithin`."""
    give_up = time.monotonic() + seconds * PATIENCE
    while not (found := check()):
        if time.monotonic() > give_up:
            raise NotWithin(f"not within {seconds * PATIENCE:.0f} s: {what}")
        time.sleep(pause)
    return found


def _launched(program: Program) -> Program:
    """The program as it is, but for services: these start as the order of the moment says."""
    python, rest = program.command[:-2], program.command[-2:]
    service = rest[0].startswith("services.")
    return replace(program, command=[*python, "tests.chaos.launcher", *rest]) if service else program


@dataclass
class Ground:
    """A running stack, its load and its verifier."""

    layout: Layout
    seed: int
    tell: Tell
    http: dict[str, str] = field(default_factory=dict[str, str])  # where a moved service answers

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.layout)
        self.launch = self.layout.var / "launch"

    def up(self) -> None:
        """Start what does not run; services start through the launcher."""
        self.launch.mkdir(parents=True, exist_ok=True)
        for order in self.launch.iterdir():
            order.unlink()
        stack.up(self.layout, tell=self.tell, edit=_launched)
        until(lambda: all(map(self.ready, SERVICES)), "every service is ready")
        onboard_all(self.layout)
        self.doors = Doors.from_environment(address_file.addresses(self.layout))
        self.verifier = Verifier(self.doors)
        self.load = Load(self.layout, self.seed)

    def leave(self, running: bool) -> None:
        """Stop the load, which has a thread of its own; and the stack, unless it is to stay `running`."""
        if hasattr(self, "load"):  # else it did not come up
            self.load.close()
            self.verifier.close()
        if not running:
            stack.down(self.layout)

    # --- processes -------------------------------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """The process of a program; 0 while it does not run."""
        return int(self.supervisor.processes()[name]["pid"])

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to a program that runs; its pid."""
        pid = until(lambda: self.pid(name), f"{name} runs")
        os.kill(pid, number)
        return pid

    def order(self, name: str, environment: Mapping[str, str] | None = None, prefix: Sequence[str] = (),
              times: int | None = 1) -> Path:  # fmt: skip
        """How the next starts of a program shall be; returns where its pid will stand."""
        service, _, worker = name.partition("-")
        order = self.launch / f"{service}-{worker or 0}.json"
        order.with_suffix(".pid").unlink(missing_ok=True)
        draft = order.with_suffix(".draft")
        draft.write_text(json.dumps({"environment": dict(environment or {}), "prefix": list(prefix), "times": times}))
        draft.rename(order)
        return order.with_suffix(".pid")

    def withdraw(self, name: str) -> None:
        """Let the next starts of a program be as always."""
        service, _, worker = name.partition("-")
        (self.launch / f"{service}-{worker or 0}.json").unlink(missing_ok=True)

    def restart(self, *names: str) -> None:
        """End programs in good order; the supervisor starts them again."""
        old = {name: self.signal(name, signal.SIGTERM) for name in names}
        for name, pid in old.items():
            until(lambda n=name, p=pid: self.pid(n) not in (0, p), f"{name} starts again")

    @contextmanager
    def ordered(self, names: Iterable[str], environment: Mapping[str, str] | None = None,
                prefix: Sequence[str] = ()) -> Generator[None]:  # fmt: skip
        """Services run as ordered while this lasts."""
        names = list(names)
        for name in names:
            self.order(name, environment, prefix, None)
        self.restart(*names)
        try:
            yield
        finally:
            for name in names:
                self.withdraw(name)
            self.restart(*names)

    @contextmanager
    def second_workers(self, names: Iterable[str] = SERVICES) -> Generator[list[str]]:
        """The second worker of each of these services runs too."""
        seconds = [f"{name}-1" for name in names]
        for name in seconds:
            self.supervisor.begin(name)
        try:
            for name in seconds:
                until(lambda n=name: self.ready(n), f"{name} is ready")
            yield seconds
        finally:
            self.supervisor.stop(seconds)

    # --- health ----------------------------------------------------------------------------------------------------

    def ready(self, name: str) -> bool:
        """/readyz says 200."""
        service, _, worker = name.partition("-")
        address = self.http.get(name) or self.layout.address(f"{service}.http", int(worker or 0))
        try:
            with urllib.request.urlopen(f"http://{address}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException):
            return False

    def metric(self, service: str, name: str) -> float:
        """The sum of a metric's samples."""
        with urllib.request.urlopen(f"http://{self.layout.address(f'{service}.http')}/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}(\{{|\s)", line))

    def recovery(self, services: Iterable[str], since: float, seconds: float = 120.0) -> float:
        """Seconds from `since` until these services are ready and have read what waits for them.

        Says every `TELL_S` what it waits for: a bound that is missed must name who missed it.
        """
        names = list(services)
        give_up = time.monotonic() + seconds * PATIENCE
        told, missing = time.monotonic(), ""
        while time.monotonic() < give_up:
            if not (missing := self._missing(names)):
                return time.monotonic() - since
            if time.monotonic() - told > TELL_S:
                told = time.monotonic()
                self.tell(f"not yet after {told - since:.0f} s: {missing}")
            time.sleep(0.1)
        raise NotWithin(f"not within {seconds * PATIENCE:.0f} s ready and at lag 0: {missing}")

    def _missing(self, names: list[str]) -> str:
        """Nothing when all that was there when asked is read within a second and /readyz is green; else what is not."""
        try:
            ends = self.verifier.listener.ends()
            sampled = time.monotonic()
            while behind := self._behind(ends, names):
                if time.monotonic() - sampled > SAMPLE_S:
                    return ", ".join(f"{name} {many} behind" for name, many in behind.items())
                time.sleep(0.1)
        except (Unreadable, KafkaException) as error:  # a broker or database that is still away: not recovered
            time.sleep(0.3)
            return str(error)
        return ", ".join(f"{name} not ready" for name in names if not self.ready(name))

    def _behind(self, ends: Mapping[reading.Place, int], names: list[str]) -> dict[str, int]:
        """Store -> messages it has not read, of those that have any."""
        # A second worker keeps its lanes in the same store as the first.
        found = reading.lanes(self.doors, {name.partition("-")[0] for name in names})
        left = {
            name: sum(max(0, ends.get(at, 0) - lane.next_offset) for at, lane in lanes.items())
            for name, lanes in found.items()
        }
        return {name: many for name, many in left.items() if many}

    # --- the account -----------------------------------------------------------------------------------------------

    def account(self) -> Verdict:
        """Stop the load, wait until all is at rest, verify; the departments answer their tasks for the next time."""
        self.load.rest()
        if left := self.verifier.settle(SETTLE_S * PATIENCE):
            raise NotWithin(f"not at rest within {SETTLE_S * PATIENCE:.0f} s, behind: {left}")
        verdict = self.verifier.check()
        verdict.findings.extend(self.load.unexpected(self.verifier.listener.facts))
        self.load.feed_back(self.verifier.listener.facts)
        return verdict
