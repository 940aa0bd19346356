"""The lag is told between turns, when a rebalance may already have taken the assignment away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.chassis.lanes import Lane, LaneId
from services.chassis.loop import LaneLoop

HELD, LOST = LaneId("t", 0), LaneId("t", 1)


class Consumer:
    """As the client is while a rebalance lasts: it asserts that what it is asked about is assigned."""

    def __init__(self, *assigned: LaneId) -> None:
        self._assigned = {TopicPartition(*lane) for lane in assigned}

    def assignment(self) -> set[TopicPartition]:
        return self._assigned

    async def getmany(
        self, *only: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        return {}

    async def position(self, partition: TopicPartition) -> int:
        return self.at

    at = 10

    def highwater(self, partition: TopicPartition) -> int:
        assert partition in self._assigned, "Partition is not assigned"
        return 10


def told(*assigned: LaneId) -> list[tuple[str, int, float]]:
    lags: list[tuple[str, int, float]] = []
    observer = SimpleNamespace(lag=lambda *lag: lags.append(lag))
    service = SimpleNamespace(name="test")
    around: Any = SimpleNamespace(clock_ms=lambda: 5_000, observer=observer, service=service)
    loop = LaneLoop(around, Consumer(*assigned))
    loop._holding.lanes |= {i: Lane(i, 1, 7, 0, 0, 0, read_ms=3_000) for i in (HELD, LOST)}
    loop.report_lag()
    return lags


def test_a_lane_without_an_assignment_is_passed_over() -> None:
    assert told(HELD) == [("t", 3, 2.0)]
    assert told() == []


def test_every_assigned_lane_tells_messages_and_seconds() -> None:
    assert told(HELD, LOST) == [("t", 3, 2.0)] * 2


@pytest.mark.parametrize(("position", "lag"), [(10, 0), (7, 3)], ids=["passed by the client", "not yet reached"])
async def test_offsets_without_a_message_are_no_lag_once_the_client_has_passed_them(position: int, lag: int) -> None:
    """The mark that ends an outsider's transaction is such an offset: a watchdog must not end an idle worker for it."""
    around: Any = SimpleNamespace(service=SimpleNamespace(name="test"), observer=None)
    consumer = Consumer(HELD)
    consumer.at = position
    loop = LaneLoop(around, consumer)
    loop._holding.lanes[HELD] = Lane(HELD, 1, 7, 0, 0, 0)
    assert await loop._receiver.fetch(()) == []
    loop.beat()
    assert loop.pulse().lag == lag


@pytest.mark.parametrize(("position", "attempts"), [(10, 0), (7, 3)], ids=["passed by the client", "not yet reached"])
async def test_a_lane_with_nothing_but_offsets_without_a_message_is_no_suspect(position: int, attempts: int) -> None:
    """While there is a suspect nothing else is read: with such a one all other lanes waited for ever."""
    around: Any = SimpleNamespace(service=SimpleNamespace(name="test"), observer=None)
    consumer = Consumer(HELD)
    consumer.at = position
    loop = LaneLoop(around, consumer)
    suspect = loop._holding.lanes[HELD] = Lane(HELD, 1, 7, 0, 0, 3)
    for _ in range(2):
        await loop._receiver.fetch([suspect])
    assert suspect.attempts == attempts
