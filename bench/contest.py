"""One round: every contestant once, one after the other, on the same stack; what does not compete is stopped."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench import ours
from bench.backlog import Doors
from bench.copy_limit import copy
from bench.latency import LEAD_S, probe
from bench.measured import Measured
from bench.peers import contestants
from bench.peers.contest import compete
from bench.peers.ground import Ground
from bench.rig import HOUR_MS, Rig, item_schema, quick
from bench.workload import Workload, encoder
from deploy.local.layout import SERVICES

WARM_UP = 3_000
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rounds, and records in each run: of the peers, of ours, of the peers that write one row per event."""

    rounds: int
    peers: int
    ours: int
    one_row: int

    @staticmethod
    def chosen() -> Sizes:
        """By QUICK, RECORDS and ROUNDS of the environment."""
        rounds = int(os.environ.get("ROUNDS", "1" if quick() else "3"))
        records = int(float(os.environ.get("RECORDS", "30000" if quick() else "300000")))
        return Sizes(rounds, records, records // 3, min(records, 4_000 if quick() else 20_000))


class Contest:
    """The contestants with their loads, on a standing rig."""

    def __init__(self, rig: Rig, sizes: Sizes, tell: Tell) -> None:
        self.rig, self.sizes, self._tell = rig, sizes, tell
        schema_id, schema = item_schema(rig)
        started_ms = time.time_ns() // 1_000_000 - HOUR_MS
        self.workload = Workload(max(sizes.peers, sizes.ours), encoder(schema_id, schema), started_ms)
        self.doors = Doors(rig)
        self._numbers = itertools.count(1)
        self._ground = Ground(rig, schema)
        self.columns = len(self._ground.columns)
        run = self.workload.run(next(self._numbers))
        self._many = self._ground.fill("credit.bench.permits.v1", run.mark, run.messages[: sizes.peers])
        self._few = self._ground.fill("credit.bench.permits-few.v1", run.mark, run.messages[: sizes.one_row])

    def warm_up(self) -> None:
        """A few records through all services, unmeasured."""
        ours.warm_up(self.rig, self.doors, self.workload.run(next(self._numbers), WARM_UP))

    def round(self, number: int) -> Iterator[tuple[str, Measured]]:
        """Every contestant by name."""
        yield self._done(number, "ingestion_1", lambda: self._ingestion(1))
        yield self._done(number, "ingestion_2", lambda: self._ingestion(2))
        run = self.workload.run(next(self._numbers), self.sizes.ours)
        yield self._done(number, "end_to_end", lambda: ours.end_to_end(self.rig, self.doors, run))
        self.rig.only()
        for connections in (1, 2):
            yield self._done(number, f"copy_{connections}", lambda n=connections: copy(self.rig, run.mark, n))
        for name, peer in self._peers(number).items():
            yield self._done(number, name, peer)

    def latency(self, seconds: float) -> dict[str, Any]:
        """All services at 50 records/s, shortly; `make bench-latency` takes longer and loads more."""
        self.rig.only(*SERVICES)
        self.rig.settle("ingestion", 1)
        ours.drain(self.rig)
        rate = 50.0
        run = self.workload.run(next(self._numbers), int(rate * (seconds + LEAD_S)))
        found = probe(self.rig, run, rate)
        self._tell(f"latency at 50 records/s: {json.dumps(found)}")
        return {"50": found}

    def _ingestion(self, workers: int) -> Measured:
        run = self.workload.run(next(self._numbers), self.sizes.ours)
        return ours.ingestion(self.rig, self.doors, run, workers)

    def _peers(self, number: int) -> dict[str, Callable[[], Measured]]:
        ground, many, few = self._ground, self._many, self._few
        found: dict[str, Callable[[], Measured]] = {}
        for tuned, tasks in ((True, 1), (True, 2)) if quick() else ((False, 1), (True, 1), (False, 2), (True, 2)):
            run = f"{number}-{'tuned' if tuned else 'default'}-{tasks}"
            peer = contestants.connect(ground, many.topic, run, tuned, tasks)
            found[peer.name] = lambda peer=peer, run=run: compete(ground, peer, many, run)
        for processes in (1,) if quick() else (1, 2):
            peer = contestants.java(ground, processes)
            found[peer.name] = lambda peer=peer: compete(ground, peer, many, f"{number}-{peer.name}")
        for name in ("faust", "naive"):
            peer = contestants.python(ground, name)
            found[name] = lambda peer=peer: compete(ground, peer, few, f"{number}-{peer.name}")
        return found

    def _done(self, number: int, name: str, run: Callable[[], Measured]) -> tuple[str, Measured]:
        found = run()
        self._tell(f"round {number} {name}: {found.per_s:,.0f} records/s, foreign {found.foreign_cores:.2f} cores")
        return name, found
