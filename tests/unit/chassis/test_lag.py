"""The lag is told between turns, when a rebalance may already have taken the assignment away."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

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
    service = SimpleNamespace(name="test", linger_ms=0)
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
    around: Any = SimpleNamespace(service=SimpleNamespace(name="test", linger_ms=0), observer=None)
    consumer = Consumer(HELD)
    consumer.at = position
    loop = LaneLoop(around, consumer)
    loop._holding.lanes[HELD] = Lane(HELD, 1, 7, 0, 0, 0)
    assert await loop._receiver.fetch(()) == []
    loop.beat()
    assert loop.pulse().lag == lag


class Broker(Consumer):
    """Answers commits, or does not."""

    away = False

    async def commit(self, offsets: object) -> None:
        if self.away:
            raise KafkaError


async def test_an_idle_worker_is_not_ready_while_the_broker_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails in it: no fetch raises, and there is nothing to publish."""
    around: Any = SimpleNamespace(
        service=SimpleNamespace(name="test", linger_ms=0), observer=SimpleNamespace(event=lambda *_, **__: None)
    )
    broker, now = Broker(HELD), [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    loop = LaneLoop(around, broker)
    loop._holding.lanes = {HELD: Lane(HELD, 1, 7, 0, 0, 0)}
    loop._turning = True
    seen: list[bool] = []
    for broker.away, now[0] in ((False, 100.0), (True, 101.0), (True, 110.9), (True, 111.1), (False, 112.0)):
        await loop.show_offsets()
        seen.append(loop.ready)
    assert seen == [True, True, True, False, True]


@pytest.mark.parametrize(("position", "attempts"), [(10, 0), (7, 3)], ids=["passed by the client", "not yet reached"])
async def test_a_lane_with_nothing_but_offsets_without_a_message_is_no_suspect(position: int, attempts: int) -> None:
    """While there is a suspect nothing else is read: with such a one all other lanes waited for ever."""
    around: Any = SimpleNamespace(service=SimpleNamespace(name="test", linger_ms=0), observer=None)
    consumer = Consumer(HELD)
    consumer.at = position
    loop = LaneLoop(around, consumer)
    suspect = loop._holding.lanes[HELD] = Lane(HELD, 1, 7, 0, 0, 3)
    for _ in range(2):
        await loop._receiver.fetch([suspect])
    assert suspect.attempts == attempts
