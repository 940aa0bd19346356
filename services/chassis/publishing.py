"""Publishing committed events from memory, in order, and never past a failure (reliability.md E17)."""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.chassis import kafka
from services.chassis.crashpoints import crashpoint
from services.chassis.errors import PublishFailed, Transient
from services.chassis.lanes import LaneId
from services.chassis.message import Outgoing
from services.chassis.record_batch import RecordBatch, Sealed
from services.chassis.sealing import Stamp, seal

Ends = dict[LaneId, int]  # the offset after the last message that was sent to a lane
PUBLISH_S = 2 * kafka.PUBLISHED_MS / 1000  # one attempt that is not answered, and another


def partition_of(key: bytes, count: int) -> int:
    """The partition of a key: CRC-32, as librdkafka's `consistent` partitioner has it."""
    return zlib.crc32(key) % count


class Publisher:
    """One idempotent producer, replaced whenever a send failed: its sequence numbers have a hole then."""

    def __init__(self, service: str, producer_settings: dict[str, Any], clock: Callable[[], int]) -> None:
        self._service = service
        self._settings = producer_settings
        self._clock = clock
        self._producer: Any = None  # an AIOKafkaProducer, which has no types
        self._counts: dict[str, int] = {}

    async def start(self) -> None:
        """Connect; raises `Transient` while the broker is away."""
        producer: Any = AIOKafkaProducer(**self._settings)
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            await producer.stop()
            raise Transient("broker", type(error).__name__) from error
        self._producer = producer

    async def stop(self) -> None:
        """Close the producer; what was not acknowledged is published again by the next one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await kafka.end_sending(producer)
            await producer.stop()

    async def seal(
        self, origin: bytes, first_position: int, events: Sequence[Outgoing], at_ms: int
    ) -> list[RecordBatch]:
        """Make events ready to be stored and published; needs the broker only for a topic it has not met before.

        `at_ms` is the moment of their turn, so that a replay of the turn makes the same bytes.
        """
        for topic in {event.topic for event in events} - self._counts.keys():
            await self._know(topic)
        placed = [((event.topic, self._partition(event)), event) for event in events]
        return seal(placed, first_position, Stamp(self._service, origin, at_ms), kafka.BATCH_BYTES)

    async def _know(self, topic: str) -> None:
        if self._producer is None:
            await self.start()
        try:
            await self.partition_count(topic)
        except (TimeoutError, KafkaError, OSError) as error:
            # Another producer, and with it another connection: the client goes on asking the one that did not answer.
            await self.stop()
            raise Transient("broker", type(error).__name__) from error

    def _partition(self, event: Outgoing) -> int:
        return partition_of(event.key, self._counts[event.topic]) if event.partition is None else event.partition

    async def publish(self, batches: Sequence[RecordBatch]) -> int:
        """Publish and wait for every acknowledgement; raises `PublishFailed`. Returns how many events."""
        if self._producer is None:
            await self.start()
        try:
            # The client itself has no limit while it believes to know who leads a partition.
            async with asyncio.timeout(PUBLISH_S):
                return await self._publish(batches)
        except (TimeoutError, KafkaError, OSError) as error:
            await self.stop()
            raise PublishFailed(type(error).__name__) from error

    async def send(self, messages: Sequence[Outgoing]) -> Ends:
        """Publish messages that belong to no lane (commands): they carry no origin and no position.

        Returns how far the lanes are that will have read them all.
        """
        if self._producer is None:
            await self.start()
        try:
            async with asyncio.timeout(PUBLISH_S):
                return await self._send(messages)
        except (TimeoutError, KafkaError, OSError) as error:
            await self.stop()
            raise PublishFailed(type(error).__name__) from error

    async def _send(self, messages: Sequence[Outgoing]) -> Ends:
        """In batches of the client's own: singly, each message would be a request of its own."""
        producer, now_ms = self._producer, self._clock()
        placed: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        for topic in {m.topic for m in messages}:
            await self.partition_count(topic)
        for m in messages:
            placed[m.topic, self._partition(m)].append(m)
        sent: list[tuple[asyncio.Future[Any], int]] = []
        for (topic, partition), those in placed.items():
            for batch in _batches(producer, those, now_ms):
                count: int = batch.record_count()
                sent.append((await producer.send_batch(batch, topic, partition=partition), count))
        ends: Ends = {}
        for future, count in sent:
            first = await future
            ends[LaneId(first.topic, first.partition)] = first.offset + count
        return ends

    async def _publish(self, batches: Sequence[RecordBatch]) -> int:
        producer = self._producer
        futures: list[asyncio.Future[Any]] = []
        for index, batch in enumerate(batches):
            if index == len(batches) // 2:
                crashpoint("cp6")
            futures.append(await producer.send_batch(Sealed(batch), batch.topic, partition=batch.partition))
        for future in futures:
            await future
        return sum(batch.record_count for batch in batches)

    async def partition_count(self, topic: str) -> int:
        """Fixed for the life of a topic, so asked once."""
        if topic not in self._counts:
            partitions: set[int] | None = await self._producer.partitions_for(topic)
            if not partitions:
                raise KafkaError(f"no such topic: {topic}")
            self._counts[topic] = len(partitions)
        return self._counts[topic]


def _batches(producer: Any, messages: Iterable[Outgoing], now_ms: int) -> Iterator[Any]:
    batch = producer.create_batch()
    for m in messages:
        said = {"timestamp": now_ms, "key": m.key, "value": m.value, "headers": list(m.headers)}
        if batch.append(**said) is None:
            yield batch
            batch = producer.create_batch()
            batch.append(**said)
    batch.close()
    yield batch
