"""A producer with the part of AIOKafkaProducer's interface that the publisher uses: idempotent, one batch in flight."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.record import default_records

from tests.sim.broker import Broker, Entry

REQUEST_S = 20.0


class Builder:
    """A batch that is full after a few records, so that there are several of them."""

    def __init__(self, limit: int) -> None:
        self.entries: list[Entry] = []
        self._limit = limit

    def append(self, *, timestamp: int, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]]) -> Any:
        """None when there is no room."""
        if len(self.entries) >= self._limit:
            return None
        self.entries.append(Entry(key, value, tuple(headers), timestamp))
        return len(self.entries)

    def close(self) -> None:
        """No more records."""

    def record_count(self) -> int:
        """How many there are."""
        return len(self.entries)


class Written(NamedTuple):
    """Where the broker has written a batch, and the offset of its first record."""

    topic: str
    partition: int
    offset: int


def entries_of(sealed: Any) -> list[Entry]:
    """The records of a batch; of a sealed one they are read back from the bytes that would go over the wire."""
    if isinstance(sealed, Builder):
        return sealed.entries
    reader: Any = default_records.DefaultRecordBatch(bytes(sealed._build()))
    return [Entry(r.key, r.value, tuple(r.headers), r.timestamp) for r in reader]


class Pending:
    """A batch on its way."""

    def __init__(self, entries: list[Entry], done: asyncio.Future[Any], expires: float) -> None:
        self.entries, self.done, self.expires = entries, done, expires


class Producer:
    """Batches of one partition go one after the other; a failed one leaves a hole in its sequence numbers."""

    def __init__(self, broker: Broker, troubles: Any) -> None:
        self._broker, self._troubles = broker, troubles
        self._sender = self  # as the client has one, of its own
        self._queues: dict[TopicPartition, deque[Pending]] = {}
        self._sequence: dict[TopicPartition, int] = {}
        self._denied: set[TopicPartition] = set()
        self._id = 0

    async def start(self) -> None:
        """Ask the broker for a producer id; raises while it is away."""
        await asyncio.sleep(self._broker.chance.uniform(0.0005, 0.005))
        if self._broker.away:
            raise KafkaConnectionError("away")
        self._id = self._broker.producer_id()

    async def close(self) -> None:
        """Of the sender: what is on its way is waited for in `stop`."""

    async def stop(self) -> None:
        """As the client does it, what is on its way is waited for."""
        waiting = [pending.done for queue in self._queues.values() for pending in queue]
        if waiting:
            await asyncio.wait(waiting)

    async def partitions_for(self, topic: str) -> set[int]:
        """The partitions of a topic."""
        if topic not in self._broker.topics:
            raise UnknownTopicOrPartitionError(topic)
        return set(range(len(self._broker.topics[topic])))

    def create_batch(self) -> Builder:
        """An empty batch."""
        return Builder(self._broker.chance.choice((1, 2, 5, 1000)))

    async def send_batch(self, sealed: Any, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """Queue a batch; the future is done when the broker has acknowledged it."""
        return self._queue(TopicPartition(topic, partition), entries_of(sealed))

    async def send(
        self, topic: str, value: bytes | None, key: bytes, partition: int, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[Any]:
        """Queue one record."""
        entry = Entry(key, value, tuple(headers), self._broker.loop.now_ms())
        return self._queue(TopicPartition(topic, partition), [entry])

    def _queue(self, place: TopicPartition, entries: list[Entry]) -> asyncio.Future[Any]:
        loop = self._broker.loop
        pending = Pending(entries, loop.create_future(), loop.time() + REQUEST_S)
        queue = self._queues.setdefault(place, deque())
        queue.append(pending)
        if len(queue) == 1:
            loop.call_later(self._broker.chance.uniform(0.0002, 0.004), self._deliver, place)
        return pending.done

    def _deliver(self, place: TopicPartition) -> None:
        pending, loop = self._queues[place][0], self._broker.loop
        if self._broker.away and loop.time() < pending.expires:
            loop.call_later(0.1, self._deliver, place)
            return
        first = self._sequence.get(place, 0)
        self._sequence[place] = first + len(pending.entries)
        if self._broker.away:
            self._answer(place, KafkaTimeoutError("no leader"))
        elif self._troubles.publish_refused() or place in self._denied:
            self._denied.add(place)  # it stays so for this producer
            self._answer(place, TopicAuthorizationFailedError(place.topic))
        elif self._broker.sequences.get((self._id, place), first) != first:
            self._answer(place, OutOfOrderSequenceNumber())
        else:
            self._broker.sequences[self._id, place] = self._sequence[place]
            written = Written(place.topic, place.partition, len(self._broker.topics[place.topic][place.partition]))
            self._broker.append(place, pending.entries)
            delay = self._broker.chance.uniform(0.0002, 0.004)
            trouble = KafkaTimeoutError("no answer") if self._troubles.publish_unanswered() else None
            loop.call_later(REQUEST_S if trouble else delay, self._answer, place, trouble or written)

    def _answer(self, place: TopicPartition, answer: Exception | Written) -> None:
        queue = self._queues[place]
        done = queue.popleft().done
        if queue:
            self._broker.loop.call_later(0.0005, self._deliver, place)
        if done.done():
            return
        if isinstance(answer, Written):
            done.set_result(answer)
        else:
            done.set_exception(answer)
            done.exception()  # seen, whether or not somebody still waits
