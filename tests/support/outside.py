"""Reads topics as any outsider would: stock client, registry over HTTP, no import from services."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import fastavro
from confluent_kafka import Consumer, Message, TopicPartition


@dataclass
class Outside:
    """One principal's view of the broker and the registry."""

    kafka: str
    registry: str
    user: str
    password: str
    schemas: dict[int, Any] = field(default_factory=dict[int, Any])

    def settings(self) -> dict[str, Any]:
        """The connection settings of a confluent-kafka client."""
        return {
            "bootstrap.servers": self.kafka,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.user,
            "sasl.password": self.password,
            "log_level": 2,  # the library otherwise tells of every connection that a short-lived client closes
        }

    def decode(self, value: bytes) -> dict[str, Any]:
        """A framed value as a dict, by the schema its writer registered."""
        number = int.from_bytes(value[1:5], "big")
        if number not in self.schemas:
            with urllib.request.urlopen(f"{self.registry}/schemas/ids/{number}") as answer:
                self.schemas[number] = cast(Any, fastavro).parse_schema(json.loads(json.load(answer)["schema"]))
        record: dict[str, Any] = cast(Any, fastavro).schemaless_reader(
            io.BytesIO(value[5:]), self.schemas[number], None
        )
        return record

    def topics(self, prefix: str) -> list[str]:
        """The topics this principal may see."""
        consumer = Consumer(self.settings() | {"group.id": "operator.outside"})
        try:
            return sorted(name for name in consumer.list_topics(timeout=10).topics if name.startswith(prefix))
        finally:
            consumer.close()

    def read(self, topics: Iterable[str]) -> Iterator[Message]:
        """Every message of these topics, up to the end each partition had when asked."""
        consumer: Any = Consumer(self.settings() | {"group.id": "operator.outside", "enable.auto.commit": False})
        try:
            ends: dict[tuple[str, int], tuple[int, int]] = {}
            for topic in topics:
                for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                    low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
                    if high > low:
                        ends[topic, partition] = (low, high)
            consumer.assign([TopicPartition(t, p, low) for (t, p), (low, _) in ends.items()])
            while ends:
                message = consumer.poll(10)
                assert message is not None, f"nothing more to read, yet not at the end of {sorted(ends)}"
                assert message.error() is None, message.error()
                place: Any = (message.topic(), message.partition())
                if place in ends:  # what came after the call is for the next call
                    yield message
                    if message.offset() + 1 >= ends[place][1]:
                        del ends[place]
        finally:
            consumer.close()
