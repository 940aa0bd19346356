"""Publishing committed events from memory, in order, and never past a failure (reliability.md E17)."""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.chassis.crashpoints import crashpoint
from services.chassis.errors import PublishFailed, Transient
from services.chassis.message import Headers, Outgoing
from services.chassis.outbox import Written

Placed = tuple[str, int]


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
            await producer.stop()

    async def publish(self, written: Sequence[Written], incarnation: int) -> int:
        """Publish and wait for every acknowledgement; raises `PublishFailed`. Returns how many events."""
        if self._producer is None:
            await self.start()
        try:
            return await self._publish(written, incarnation)
        except (TimeoutError, KafkaError, OSError) as error:
            await self.stop()
            raise PublishFailed(type(error).__name__) from error

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Publish messages that belong to no lane (commands): they carry no origin and no position."""
        if self._producer is None:
            await self.start()
        try:
            await self._send(messages)
        except (TimeoutError, KafkaError, OSError) as error:
            await self.stop()
            raise PublishFailed(type(error).__name__) from error

    async def _send(self, messages: Sequence[Outgoing]) -> None:
        producer = self._producer
        futures: list[asyncio.Future[Any]] = []
        for m in messages:
            partition = m.partition
            if partition is None:
                partition = partition_of(m.key, await self.partition_count(m.topic))
            futures.append(await producer.send(m.topic, m.value, m.key, partition, headers=list(m.headers)))
        for future in futures:
            await future

    async def _publish(self, written: Sequence[Written], incarnation: int) -> int:
        producer = self._producer
        futures: list[asyncio.Future[Any]] = []
        placed = await self._place(written, incarnation)
        now_ms = self._clock()
        for index, ((topic, partition), events) in enumerate(placed.items()):
            if index == len(placed) // 2:
                crashpoint("cp6")
            for batch in self._batches(producer, events, now_ms):
                futures.append(await producer.send_batch(batch, topic, partition=partition))
        for future in futures:
            await future
        return sum(len(w.events) for w in written)

    async def _place(
        self, written: Sequence[Written], incarnation: int
    ) -> dict[Placed, list[tuple[Outgoing, Headers]]]:
        placed: dict[Placed, list[tuple[Outgoing, Headers]]] = defaultdict(list)
        for lane, first, events in written:
            origin = lane.origin_name(self._service, incarnation)
            for position, event in enumerate(events, first):
                partition = event.partition
                if partition is None:
                    partition = partition_of(event.key, await self.partition_count(event.topic))
                headers = (*event.headers, ("origin", origin), ("position", b"%d" % position))
                if event.kind:
                    headers += self._cloud_event(event, origin + b"/%d" % position)
                placed[event.topic, partition].append((event, headers))
        return placed

    def _cloud_event(self, event: Outgoing, identity: bytes) -> Headers:
        """CloudEvents 1.0, Kafka binary mode; `ce_id` is the same when the event is published again."""
        now = datetime.fromtimestamp(self._clock() / 1000, UTC).isoformat(timespec="milliseconds")
        return (
            ("ce_specversion", b"1.0"),
            ("ce_id", identity),
            ("ce_source", b"/creditbus/" + self._service.encode()),
            ("ce_type", event.kind.encode()),
            ("ce_subject", event.subject.encode()),
            ("ce_time", now.encode()),
        )

    @staticmethod
    def _batches(producer: Any, events: Iterable[tuple[Outgoing, Headers]], now_ms: int) -> Iterator[Any]:
        batch = producer.create_batch()
        for event, headers in events:
            if batch.append(timestamp=now_ms, key=event.key, value=event.value, headers=list(headers)) is None:
                batch.close()
                yield batch
                batch = producer.create_batch()
                batch.append(timestamp=now_ms, key=event.key, value=event.value, headers=list(headers))
        batch.close()
        yield batch

    async def partition_count(self, topic: str) -> int:
        """Fixed for the life of a topic, so asked once."""
        if topic not in self._counts:
            partitions: set[int] | None = await self._producer.partitions_for(topic)
            if not partitions:
                raise KafkaError(f"no such topic: {topic}")
            self._counts[topic] = len(partitions)
        return self._counts[topic]
