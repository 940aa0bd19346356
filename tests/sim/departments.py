"""What the obliged departments do: they answer tasks, sometimes twice, twice differently, or those of another."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from tests.sim.broker import Entry
from tests.sim.shared import shared
from tests.sim.traffic import DAY, REPORTERS

TASKS = "credit.sanctions.task."
FAMILY = "credit.feedback.v1"
WAYS = ("once", "once", "once", "repeated", "twice", "another's", "as another")


class Feedback(NamedTuple):
    """One feedback as it was sent; a repeated one is there twice."""

    department: str
    task_id: str
    feedback_id: str


class Departments:
    """Hear of tasks as they are opened and answer about half of them."""

    def __init__(self, world: Any, chance: random.Random) -> None:
        self._world, self._chance = world, chance
        self._seen: set[tuple[str, int]] = set()
        self._numbers = 0
        self.sent: list[Feedback] = []

    def appended(self, place: TopicPartition, offset: int, entry: Entry) -> None:
        """A record was written to a topic."""
        if not place.topic.startswith(TASKS):
            return
        _, task = shared().schemas.decode(entry.value or b"")
        opened = task["task_id"], task["task_version"]
        if task["change"] != "OPENED" or opened in self._seen:
            return
        self._seen.add(opened)
        if self._chance.random() < 0.5:
            self._answer(task["department"], task["task_id"], self._chance.choice(WAYS))

    def _answer(self, department: str, task_id: str, way: str) -> None:
        topic_of = department
        if way == "another's":
            topic_of = department = self._chance.choice(REPORTERS)
        elif way == "as another":
            department = "420000-qt"
        numbers = {"repeated": (0, 0), "twice": (0, 1)}.get(way, (0,))
        self._numbers += 1
        at = self._world.loop.time()
        for number in numbers:
            at += self._chance.choice((0.01, 0.3, 4.0)) * self._chance.random()
            given = Feedback(topic_of, task_id, f"f-{self._numbers}-{number}")
            self._world.at(at, self._send, given, department)

    def _send(self, given: Feedback, agency: str) -> None:
        record = {
            "feedback_id": given.feedback_id,
            "task_id": given.task_id,
            "agency": agency,
            "outcome": "executed",
            "executed_on": DAY,
            "note": "",
            "produced_at": self._world.loop.now_ms(),
        }
        topic = f"credit.feedback.{given.department}.v1"
        self._world.publish(topic, given.task_id.encode(), shared().schemas.encode(FAMILY, record))
        self.sent.append(given)
