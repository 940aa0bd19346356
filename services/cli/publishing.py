"""Publishes submissions as an agency: its own credentials, its own topic, the stock serializer, acknowledged by all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaError

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli.catalogue import Item
from services.cli.outsider import Registry, producer

FLUSH_S = 60.0
LARGEST = 900_000  # bytes of a value; the broker takes 1,000,000 with everything around it


class TooLarge(Exception):
    """A submission that no message can hold."""


class Submitter:
    """One agency's door; `publish` only queues, `finish` waits until the broker has everything."""

    def __init__(self, layout: Layout, registry: Registry, agency: str) -> None:
        self.agency = agency
        self.topic = f"credit.submit.{agency}.v1"
        self._registry = registry
        self._producer = producer(layout, agency)
        self._encoders: dict[str, Callable[[Mapping[str, Any], str], bytes]] = {}
        self._failed: KafkaError | None = None
        self.published = 0

    def publish(self, item: Item, record: Mapping[str, Any]) -> None:
        """Encode and queue one submission; raises `ValueError` for what the schema cannot hold, and `TooLarge`."""
        encode = self._encoders.get(item.code)
        if encode is None:
            encode = self._encoders[item.code] = self._registry.serializer(item.subject)
        value = encode(record, self.topic)
        if len(value) > LARGEST:
            raise TooLarge
        self.publish_bytes(str(record["record_no"]), value)

    def publish_bytes(self, key: str, value: bytes) -> None:
        """Queue any bytes; waits while the queue is full."""
        while True:
            try:
                self._producer.produce(self.topic, value, key, on_delivery=self._delivered)
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)
        self.published += 1

    def _delivered(self, error: KafkaError | None, message: object) -> None:
        self._failed = self._failed or error

    def finish(self) -> None:
        """Raises `StackFault` if anything was not acknowledged: what was, is on the topic and will be answered."""
        left = self._producer.flush(FLUSH_S)
        if left or self._failed is not None:
            reason = self._failed.str() if self._failed is not None else f"{left} unanswered"
            raise StackFault(
                f"the broker did not take everything ({reason}): credit status; sending the same file again is harmless"
            )
