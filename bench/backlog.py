"""Publishes what was encoded before, as fast as the broker takes it, in large batches, as the agencies themselves."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, Producer

from bench.rig import Rig
from bench.workload import AGENCIES, Message
from services.cli.outsider import settings

FLUSH_S = 120.0
LARGE = {
    "enable.idempotence": True,
    "compression.type": "zstd",
    "linger.ms": 100,
    "batch.num.messages": 20_000,
    "batch.size": 900_000,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 1_000_000,
}


class Published(NamedTuple):
    """How many, how long it took, and the CPU seconds of this process for it."""

    messages: int
    seconds: float
    cpu_s: float


class Doors:
    """One producer per agency, kept open; any principal's topics with `open_as`."""

    def __init__(self, rig: Rig, principals: Sequence[str] = AGENCIES, **other: Any) -> None:
        self._producers = {name: Producer(settings(rig.layout, name) | LARGE | other) for name in principals}
        self._failed: KafkaError | None = None

    def publish(self, messages: Iterable[Message]) -> Published:
        """Queue all and wait until the broker has them."""
        began, cpu, count = time.monotonic(), time.process_time(), 0
        for agency, key, value in messages:
            self.queue(agency, f"credit.submit.{agency}.v1", key, value)
            count += 1
        self.finish()
        return Published(count, time.monotonic() - began, time.process_time() - cpu)

    def queue(self, principal: str, topic: str, key: bytes, value: bytes, partition: int = -1) -> None:
        """Queue one message; waits while the queue is full."""
        producer = self._producers[principal]
        while True:
            try:
                producer.produce(topic, value, key, partition, on_delivery=self._delivered)
                return
            except BufferError:
                producer.poll(0.05)

    def poll(self) -> None:
        """Take in acknowledgements."""
        for producer in self._producers.values():
            producer.poll(0)

    def finish(self) -> None:
        """Wait for every acknowledgement; ends the run if one is missing."""
        left = sum(producer.flush(FLUSH_S) for producer in self._producers.values())
        if left or self._failed is not None:
            raise SystemExit(f"the broker did not take the load ({self._failed or f'{left} unanswered'})")

    def _delivered(self, error: KafkaError | None, message: object) -> None:
        self._failed = self._failed or error
