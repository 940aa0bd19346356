"""What lanes have read is deleted from topics that must not keep it: what was committed long enough ago, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.chassis.errors import Transient
from services.chassis.lanes import LaneId
from services.chassis.trimming import COMMITTED, Offsets, Trimmer

A, B = LaneId("credit.submit.a.v1", 0), LaneId("credit.submit.b.v1", 1)


class Ground:
    """A store, a clock and a broker."""

    def __init__(self, keep_s: float = 100) -> None:
        self.now, self.topics = 1000.0, [A.topic, B.topic]
        self.lanes = {A: 5, B: 7}
        self.deleted: list[Offsets] = []
        self.away = False
        pool: Any = self
        self.trimmer = Trimmer(pool, self.delete, self.wanted, keep_s, lambda: self.now)

    async def wanted(self) -> Collection[str]:
        return self.topics

    async def delete(self, offsets: Offsets) -> None:
        if self.away:
            raise Transient("broker")
        self.deleted.append(dict(offsets))

    async def fetch(self, statement: str, topics: list[str]) -> list[dict[str, Any]]:
        assert statement == COMMITTED
        held = [(lane, offset) for lane, offset in self.lanes.items() if lane.topic in topics]
        return [{"topic": lane.topic, "partition": lane.partition, "next_offset": n} for lane, n in held]

    async def after(self, seconds: float) -> None:
        self.now += seconds
        await self.trimmer.look()


@pytest.fixture(autouse=True)
def _transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    @asynccontextmanager
    async def transaction(pool: Any) -> AsyncIterator[Any]:
        yield pool

    monkeypatch.setattr("services.chassis.trimming.postgres.transaction", transaction)


async def test_only_what_was_committed_long_enough_ago_is_deleted() -> None:
    ground = Ground()
    await ground.after(0)
    ground.lanes[A] = 50
    await ground.after(99)
    assert ground.deleted == []
    await ground.after(1)
    assert ground.deleted == [{A: 5, B: 7}]
    await ground.after(99)
    assert ground.deleted == [{A: 5, B: 7}, {A: 50}]  # of B nothing new was read


async def test_nothing_is_deleted_of_topics_that_are_not_named() -> None:
    ground = Ground()
    ground.topics = [A.topic]
    for _ in range(3):
        await ground.after(100)
    assert ground.deleted == [{A: 5}]
    ground.topics = []
    ground.lanes[A] = 50
    await ground.after(1000)
    assert ground.deleted == [{A: 5}]


async def test_a_broker_that_is_away_is_asked_again() -> None:
    ground = Ground()
    ground.away = True
    await ground.after(0)
    with pytest.raises(Transient):
        await ground.after(100)
    ground.away = False
    await ground.after(100)
    assert ground.deleted == [{A: 5, B: 7}]
