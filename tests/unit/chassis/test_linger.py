"""A service that nobody waits for takes what came meanwhile in one turn; one with a backlog goes on at once."""

from __future__ import annotations

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.chassis.holding import Holding
from services.chassis.lanes import Lane, LaneId
from services.chassis.receiving import FEW_WAIT, Receiver
from services.chassis.turn_size import TurnSize
from tests.sim.virtual import VirtualLoop

PLACE = LaneId("t", 0)


class Consumer:
    """A client that has fetched what was published until now, a message every 10 ms."""

    def __init__(self, waiting: int) -> None:
        self._fetched = deque(range(waiting))
        self._end = waiting
        self._since = asyncio.get_running_loop().time()

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition(*PLACE)}

    def highwater(self, _: TopicPartition) -> int:
        return self._end

    async def getmany(self, *_: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        since = asyncio.get_running_loop().time() - self._since
        self._fetched.extend(range(round(since * 100)))
        return {TopicPartition(*PLACE): [self._fetched.popleft() for _ in range(min(len(self._fetched), max_records))]}


async def fetched(waiting: int, linger_ms: int) -> int:
    consumer = Consumer(waiting)
    holding = Holding(consumer, SimpleNamespace())  # pyright: ignore[reportArgumentType] - nothing is observed here
    holding.lanes[PLACE] = Lane(PLACE, 1, 0, 0, 0, 0)
    return len(await Receiver(consumer, holding, TurnSize(), linger_ms).fetch([]))


@pytest.mark.parametrize(
    ("waiting", "linger_ms", "taken"),
    [(1, 100, 11), (1, 0, 1), (FEW_WAIT + 1, 100, FEW_WAIT + 1)],
    ids=["little waits", "no linger", "a backlog"],
)
def test_what_comes_while_it_lingers_is_of_the_same_turn(waiting: int, linger_ms: int, taken: int) -> None:
    assert VirtualLoop().run(fetched(waiting, linger_ms)) == taken
