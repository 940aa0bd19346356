"""A consumer's membership of its group: joining, heartbeats, rebalances, topics that appear."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from tests.sim.broker import Broker

HEARTBEAT_S = 3.0
METADATA_S = 5.0


class Membership:
    """The part of AIOKafkaConsumer that has to do with others; static members only."""

    def __init__(self, broker: Broker, group: str, instance: str) -> None:
        self._broker, self._group, self.instance = broker, broker.groups[group], instance
        self._chance = broker.chance
        self.pattern = re.compile("$^")
        self._listener: Any = None
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._meeting = asyncio.Event()  # set: the group has met, there is an assignment
        self._generation = 0
        self._refused = asyncio.Event()  # set: the coordinator does not know it any more
        self._routine: asyncio.Task[None] | None = None
        self._topics: frozenset[str] = frozenset()
        self._looked = -METADATA_S

    def wake(self) -> None:
        """There may be something to read."""
        raise NotImplementedError

    def _begin_anew(self) -> None:
        """There is a new assignment."""
        raise NotImplementedError

    def subscribe(self, pattern: str, listener: Any) -> None:
        """Before `start`."""
        self.pattern, self._listener = re.compile(pattern), listener

    async def start(self) -> None:
        """Join in the background; raises while the broker is away."""
        await asyncio.sleep(self._chance.uniform(0.001, 0.05))
        if self._broker.away:
            raise KafkaConnectionError("away")
        self._routine = asyncio.create_task(self._coordinate())

    async def stop(self) -> None:
        """A static member does not say goodbye."""
        if self._routine is not None:
            self._routine.cancel()
        self._forget()

    def _forget(self) -> None:
        for place in self._assigned:
            self._broker.readers[place].discard(self)

    async def _coordinate(self) -> None:
        await self._meet()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._refused.wait(), HEARTBEAT_S * self._chance.uniform(0.8, 1.0))
            if self._broker.away:
                self._refused.clear()  # the next heartbeat will tell
                continue
            if self._refused.is_set() or not await self._heartbeat() or self._topics_appeared():
                await self._meet()

    async def _heartbeat(self) -> bool:
        known = self._group.heartbeat(self)
        await asyncio.sleep(self._chance.choice((0.001, 0.01, 0.3)))  # the answer; others do not wait for it
        return known

    def _topics_appeared(self) -> bool:
        now = self._broker.loop.time()
        if now - self._looked < METADATA_S:
            return False
        self._looked = now
        topics = frozenset(filter(self.pattern.match, self._broker.topics))
        known, self._topics = self._topics, topics
        return topics != known

    async def _meet(self) -> None:
        self._meeting.clear()
        await self._listener.on_partitions_revoked(self._assigned)
        while self._broker.away:  # noqa: ASYNC110 - a client asks again and again
            await asyncio.sleep(0.5)
        self._looked, self._topics = (
            self._broker.loop.time(),
            frozenset(filter(self.pattern.match, self._broker.topics)),
        )
        joined = self._group.join(self)
        while not joined.done():
            # While it waits a member still tells that it is there.
            await asyncio.wait([joined], timeout=HEARTBEAT_S)
            self._group.heartbeat(self)
        self._forget()
        self._generation = self._group.generation
        self._refused.clear()
        self._assigned = joined.result()
        self._begin_anew()
        for place in self._assigned:
            self._broker.readers[place].add(self)
        self._meeting.set()
        await self._listener.on_partitions_assigned(self._assigned)

    def subscription(self) -> frozenset[str]:
        """The topics that fit the pattern, as the last look at the metadata showed them."""
        return self._topics

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """The numbers of a topic's partitions."""
        logs = self._broker.topics.get(topic)
        return None if logs is None else set(range(len(logs)))

    def assignment(self) -> frozenset[TopicPartition]:
        """What the group gave this member last; during a rebalance still the old one."""
        return self._assigned
