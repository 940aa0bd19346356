"""A consumer with the part of AIOKafkaConsumer's interface that the lane loop uses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaTimeoutError, NoOffsetForPartitionError

from services.chassis.message import Message
from tests.sim.broker import Broker
from tests.sim.member import Membership


class Consumer(Membership):
    """Gives what it has in an order of its own, not all at once, and sometimes from one partition less."""

    def __init__(self, broker: Broker, group: str, instance: str) -> None:
        super().__init__(broker, group, instance)
        self._positions: dict[TopicPartition, int | None] = {}
        self._high: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._waiter: asyncio.Future[bool] | None = None

    def _begin_anew(self) -> None:
        self._positions = {place: self._group.committed.get(place) for place in self._assigned}
        self._high.clear()
        self._paused.clear()

    def seek(self, place: TopicPartition, offset: int) -> None:
        """Read on from there."""
        if place not in self._assigned:
            raise IllegalStateError(f"{place} is not assigned")
        self._positions[place] = offset

    def pause(self, place: TopicPartition) -> None:
        """Read no more from there."""
        if place not in self._assigned:
            raise IllegalStateError(f"{place} is not assigned")
        self._paused.add(place)

    def resume(self, place: TopicPartition) -> None:
        """Read on from there."""
        if place not in self._assigned:
            raise IllegalStateError(f"{place} is not assigned")
        self._paused.discard(place)

    def highwater(self, place: TopicPartition) -> int | None:
        """The end of the partition as the last answered fetch told it."""
        assert place in self._assigned, "Partition is not assigned"
        return self._high.get(place)

    async def position(self, place: TopicPartition) -> int:
        """Where it reads next."""
        position = self._positions.get(place)
        if position is None or position < 0:
            raise IllegalStateError(f"{place} is not assigned")
        return position

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Nothing is ever deleted here."""
        await asyncio.sleep(self._chance.uniform(0.0, 0.005))
        if self._broker.away:
            await asyncio.sleep(2.0)
            raise KafkaTimeoutError("away")
        return dict.fromkeys(places, 0)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """What stock lag tools look at; and where a new owner's client stands before it is told to seek."""
        if not self._assigned.issuperset(offsets):
            raise IllegalStateError("not assigned")
        await self._coordinator_answers()
        if not self._group.accepts(self, self._generation):
            self._refused.set()
            raise CommitFailedError("the group has moved on")
        self._group.committed.update(offsets)
        await asyncio.sleep(self._chance.uniform(0.0, 0.005))

    async def committed(self, place: TopicPartition) -> int | None:
        """What the group has committed, this member or another."""
        await self._coordinator_answers()
        return self._group.committed.get(place)

    async def _coordinator_answers(self) -> None:
        while self._broker.away:  # noqa: ASYNC110 - a client asks again and again
            await asyncio.sleep(1.0)

    def wake(self) -> None:
        """There may be something to read."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(True)

    async def getmany(
        self, *only: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Message]]:
        """What is there; else wait until something comes or the time is over."""
        ends = self._broker.loop.time() + timeout_ms / 1000
        while True:
            if not self._meeting.is_set():
                await self._meeting.wait()
            found = {} if self._broker.away else self._drain(only, max_records)
            left = ends - self._broker.loop.time()
            if found or left <= 0.0005:
                return found
            await self._wait(left)

    async def _wait(self, seconds: float) -> None:
        loop = self._broker.loop
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(seconds, self.wake)
        await waiter
        timer.cancel()
        if self._broker.loop.time() < timer.when():
            await asyncio.sleep(self._chance.uniform(0.0005, 0.02))  # what comes close together is fetched together

    def _drain(self, only: tuple[TopicPartition, ...], limit: int) -> dict[TopicPartition, list[Message]]:
        places = sorted(self._assigned.intersection(only) if only else self._assigned)
        self._chance.shuffle(places)
        limit = min(limit, self._chance.choice((1, 3, 10, 40, 2000)))
        found: dict[TopicPartition, list[Message]] = {}
        for place in places:
            position = self._positions[place]
            if position is None:
                self._positions[place] = -1  # said once; the loop seeks
                raise NoOffsetForPartitionError(place)
            if position < 0 or place in self._paused or limit <= 0:
                continue
            end = self._broker.end(place)
            if end <= position:  # what most looks find
                self._high[place] = end
                continue
            if self._chance.random() < 0.15:
                continue  # the answer of this partition's leader is still on its way
            if rows := self._read(place, position, limit):
                found[place] = rows
                limit -= len(rows)
        return found

    def _read(self, place: TopicPartition, position: int, limit: int) -> list[Message]:
        log = self._broker.topics[place.topic][place.partition]
        rows: list[Message] = []
        while position < len(log) and len(rows) < limit:
            if (entry := log[position]) is not None:
                rows.append(Message(*place, position, *entry))
            position += 1
        self._positions[place], self._high[place] = position, len(log)
        return rows
