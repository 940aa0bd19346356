"""The faults of a seed: what is done to processes, broker, stores and groups while the agencies publish."""

from __future__ import annotations

import json
import random
from typing import Any

from aiokafka import TopicPartition

from tests.sim import rest
from tests.sim.process import Process
from tests.sim.shared import ITEMS
from tests.sim.traffic import LATE, REPORTERS
from tests.support.road import AGENCY_OF, NAMES

POINTS = ("cp1", "cp2", "cp3", "cp4", "cp5", "cp6", "cp7", "cp8", "cp10")


class Faults:
    """Plans from one seed; every fault is written to the world's journal when it strikes."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._chance = random.Random(f"{world.seed}/plan")

    def plan(self, seconds: float) -> None:
        """Spread this seed's faults over the first seconds."""
        chance, world = self._chance, self._world
        world.at(0.3, self._rage)
        kinds = (
            self._crash,
            self._crash,
            self._kill,
            self._freeze,
            self._freeze,
            self._stop,
            self._broker,
            self._database,
            self._storm,
        )
        for _ in range(chance.randint(2, 8)):
            world.at(chance.uniform(0.3, seconds), chance.choice(kinds))
        if chance.random() < 0.6:
            world.at(chance.uniform(0.5, seconds), self._register, LATE, [], "c-late")
        for number in range(chance.choice((0, 0, 1, 2))):
            world.at(chance.uniform(0.5, seconds), self._register_again, number)
        for _ in range(chance.choice((0, 0, 0, 1, 3))):
            world.at(chance.uniform(0.0, seconds), self._abort)
        early = random.Random(f"{world.seed}/early")
        for number in range(early.choice((0, 0, 0, 1, 2))):
            world.at(early.uniform(0.4, 0.9) * seconds, self._release_too_early, number)

    def heal(self) -> None:
        """Nothing is done any more, everybody is there, what was wrong is repaired."""
        world = self._world
        world.log("healed")
        world.troubles.raging = False
        world.poison.fixed = True
        world.broker.away = False
        for database in world.databases.values():
            database.away = False
        for process in world.processes:
            process.armed.clear()
            process.stops.clear()
            process.start()

    def _rage(self) -> None:
        self._world.troubles.raging = True

    def _one(self) -> Process:
        process: Process = self._chance.choice(self._world.processes)
        return process

    def _crash(self) -> None:
        process, point = self._one(), self._chance.choice(POINTS)
        process.armed[point] = self._chance.randint(1, 4)
        self._world.log(f"{process.name} will crash at {point}:{process.armed[point]}")

    def _kill(self) -> None:
        process = self._one()
        self._world.log(f"kill {process.name}")
        process.kill()

    def _freeze(self) -> None:
        process, seconds = (
            self._one(),
            self._chance.choice((0.5, 4.0, 8.0, 14.0, 20.0)) * self._chance.uniform(0.8, 1.2),
        )
        self._world.log(f"freeze {process.name} for {seconds:.1f} s")
        process.freeze(seconds)

    def _stop(self) -> None:
        """In the middle of a turn, for longer than its session: its transaction is ended, its lanes are given away."""
        process, point = self._one(), self._chance.choice(("cp3", "cp4", "cp5", "cp6", "cp7"))
        process.armed[point] = self._chance.randint(1, 4)
        process.stops[point] = self._chance.uniform(11.0, 18.0)
        self._world.log(f"{process.name} will freeze at {point}:{process.armed[point]}")

    def _broker(self) -> None:
        seconds = self._chance.choice((0.5, 3.0, 15.0, 25.0))
        self._world.log(f"broker away for {seconds} s")
        self._world.broker.away = True
        self._world.at(self._world.loop.time() + seconds, self._back, self._world.broker)

    def _database(self) -> None:
        name = self._chance.choice(sorted(self._world.databases))
        database, seconds = self._world.databases[name], self._chance.choice((0.2, 2.0, 6.0))
        self._world.log(f"database of {name} away for {seconds} s")
        database.away = True
        for tx in list(database.open):
            tx.abort()
        self._world.at(self._world.loop.time() + seconds, self._back, database)

    def _back(self, part: Any) -> None:
        part.away = False

    def _storm(self) -> None:
        name = self._chance.choice(sorted(self._world.broker.groups))
        self._world.log(f"rebalance storm in {name}")
        for beat in range(4):
            self._world.at(self._world.loop.time() + beat * 1.5, self._world.broker.groups[name].call_together)

    def _register(self, code: str, items: list[str], command_id: str, name: str = "") -> None:
        arguments: dict[str, Any] = {"code": code, "name_zh": name or NAMES[code], "items": items}
        self._world.command("ingestion", "register_agency", code.encode(), command_id, json.dumps(arguments))

    def _register_again(self, number: int) -> None:
        """Under another name, or by an operator's client that sends its command again."""
        code = self._chance.choice((*REPORTERS, LATE))
        items = sorted(item for item, agency in AGENCY_OF.items() if item in ITEMS and agency == code)
        name = self._chance.choice(("", "演示改名"))
        self._world.log(f"{code} is registered again")
        for _ in range(self._chance.choice((1, 2))):
            self._register(code, items, f"c-again-{number}", name)

    def _release_too_early(self, number: int) -> None:
        """What is parked is taken up by the code that could not process it."""
        self._world.log("everything parked is released, nothing is mended")
        rest.release_parked(self._world, f"early-{number}")

    def _abort(self) -> None:
        """An outsider's transaction that came to nothing leaves offsets without a message."""
        topic = self._chance.choice(
            [f"credit.{name}.{code}.v1" for name in ("submit", "feedback") for code in REPORTERS]
        )
        self._world.broker.abort(TopicPartition(topic, self._chance.randrange(2)), self._chance.randint(1, 5))
