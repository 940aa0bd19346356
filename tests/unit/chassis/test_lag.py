"""The lag is told between turns, when a rebalance may already have taken the assignment away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

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

    def highwater(self, partition: TopicPartition) -> int:
        assert partition in self._assigned, "Partition is not assigned"
        return 10


def told(*assigned: LaneId) -> list[tuple[str, int, float]]:
    lags: list[tuple[str, int, float]] = []
    observer = SimpleNamespace(lag=lambda *lag: lags.append(lag))
    service = SimpleNamespace(name="test")
    around: Any = SimpleNamespace(clock_ms=lambda: 5_000, observer=observer, service=service)
    loop = LaneLoop(around, Consumer(*assigned))
    loop._lanes = {i: Lane(i, 1, 7, 0, 0, 0, read_ms=3_000) for i in (HELD, LOST)}
    loop.report_lag()
    return lags


def test_a_lane_without_an_assignment_is_passed_over() -> None:
    assert told(HELD) == [("t", 3, 2.0)]
    assert told() == []


def test_every_assigned_lane_tells_messages_and_seconds() -> None:
    assert told(HELD, LOST) == [("t", 3, 2.0)] * 2
