"""The broker and the registry as any outsider sees them: stock clients, a principal's own password, no service code."""

# pyright: reportPrivateImportUsage=false
# The library re-exports its own classes without saying so.

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from deploy.local import kafka_admin
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

OPERATOR = "operator"
QUIET = {"log_level": 2}  # the library otherwise tells of every connection that a short-lived client closes
WAIT_S = 15.0
# A broker that has just begun knows another leader than the client does, and a client that could not ask for a while
# knows none of a partition that it was told of: it is asked again.
STALE = (
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError._UNKNOWN_PARTITION,  # pyright: ignore[reportPrivateUsage] - the library names its own codes so
)

Place = tuple[str, int]
Offsets = dict[Place, int]


def settings(layout: Layout, principal: str) -> dict[str, Any]:
    """librdkafka's settings; raises `StackFault` for a principal that was never made."""
    return kafka_admin.connection(layout, principal) | QUIET


def producer(layout: Layout, principal: str) -> Producer:
    """Idempotent, so acknowledged by all; small batches leave at once, large loads fill them."""
    wanted = {"enable.idempotence": True, "linger.ms": 5, "compression.type": "zstd"}
    return Producer(settings(layout, principal) | wanted)


class Registry:
    """Schemas by id or by registry subject, asked for once."""

    def __init__(self, layout: Layout) -> None:
        self._url = layout.registry_url
        self._parsed: dict[int, Any] = {}
        self._client: Any = SchemaRegistryClient({"url": self._url})

    def serializer(self, subject: str) -> Callable[[Mapping[str, Any], str], bytes]:
        """The stock Avro serializer with the newest schema of a subject: (record, topic) -> framed value."""

        def named(context: object, name: object) -> str:
            return subject

        options = {"auto.register.schemas": False, "use.latest.version": True, "subject.name.strategy": named}
        stock = cast(Any, AvroSerializer)(self._client, conf=options)

        def encode(record: Mapping[str, Any], topic: str) -> bytes:
            return stock(record, SerializationContext(topic, MessageField.VALUE))

        return encode

    def decode(self, value: bytes) -> dict[str, Any]:
        """A framed value as a record, by the schema of whoever wrote it."""
        number = int.from_bytes(value[1:5], "big")
        if number not in self._parsed:
            self._parsed[number] = cast(Any, fastavro).parse_schema(self._schema(number))
        return cast(Any, fastavro).schemaless_reader(io.BytesIO(value[5:]), self._parsed[number], None)

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema under this subject; raises `StackFault` where the registry refuses it."""
        try:
            return int(self._client.register_schema(subject, Schema(schema, "AVRO")))
        except SchemaRegistryError as error:
            raise StackFault(f"the registry refused the schema of {subject} ({error.error_message})") from None

    def _schema(self, number: int) -> Any:
        try:
            with urllib.request.urlopen(f"{self._url}/schemas/ids/{number}", timeout=10) as answer:  # noqa: S310 - ours
                return json.loads(json.load(answer)["schema"])
        except (urllib.error.URLError, OSError) as error:
            raise StackFault(f"the registry does not know schema {number} ({error}): credit status") from None


class Reader:
    """Reads topics as one principal, from the beginning or from given offsets, up to where they end now."""

    def __init__(self, layout: Layout, principal: str = OPERATOR) -> None:
        group = principal if principal == OPERATOR else f"{principal}.cli"
        wanted = {"group.id": f"{group}", "enable.auto.commit": False, "fetch.wait.max.ms": 50}
        self._consumer: Any = Consumer(settings(layout, principal) | wanted)
        self._admin: Any = AdminClient(settings(layout, principal))
        self._partitions: dict[str, int] = {}

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def topics(self, prefix: str) -> list[str]:
        """What this principal may see."""
        return sorted(name for name in self._known() if name.startswith(prefix))

    def ends(self, topics: Iterable[str]) -> Offsets:
        """The offset behind the last message of every partition; one request, since it is asked again and again."""
        return self._offsets(self._places(topics), OffsetSpec.latest())

    def _places(self, topics: Iterable[str]) -> list[Place]:
        wanted = set(topics) - self._partitions.keys()
        if wanted:
            known = self._known()
            self._partitions |= {topic: len(known[topic].partitions) for topic in wanted & known.keys()}
        return [(topic, n) for topic in set(topics) for n in range(self._partitions.get(topic, 0))]

    def _known(self) -> dict[str, Any]:
        try:
            return self._consumer.list_topics(timeout=WAIT_S).topics
        except KafkaException as error:
            raise StackFault(f"the broker does not answer ({error.args[0]}): credit status") from None

    def _offsets(self, places: Iterable[Place], which: Any) -> Offsets:  # the library types its own constants wrongly
        asked, until = {TopicPartition(*place): which for place in places}, time.monotonic() + WAIT_S
        while True:
            futures: dict[Any, Any] = self._admin.list_offsets(asked) if asked else {}
            try:
                return {(at.topic, at.partition): future.result(WAIT_S).offset for at, future in futures.items()}
            except (KafkaException, TimeoutError) as error:
                if not stale(error) or time.monotonic() > until:
                    raise StackFault(f"the broker does not say where its topics end ({error}): credit status") from None
                time.sleep(0.2)

    def read(self, topics: Iterable[str], since: Offsets | None = None) -> Iterator[Message]:
        """Every message there is at this moment; `since` is moved to behind what was read."""
        begin = {} if since is None else since
        ends = self.ends(topics)
        fresh = [at for at, high in ends.items() if at not in begin and high]
        lows = {**self._offsets(fresh, OffsetSpec.earliest()), **begin}
        todo = {at: high for at, high in ends.items() if lows.get(at, 0) < high}
        self._consumer.assign([TopicPartition(*at, lows[at]) for at in todo])
        while todo:
            for message in self._consumer.consume(2000, 1.0):
                if message.error() is not None:
                    raise StackFault(f"reading {message.topic()} failed ({message.error()}): credit status")
                at = message.topic(), message.partition()
                if at in todo and message.offset() < todo[at]:
                    yield message
                    begin[at] = message.offset() + 1
                if at in todo and message.offset() + 1 >= todo[at]:
                    del todo[at]
        self._consumer.unassign()

    def last(self, topics: Iterable[str], count: int) -> Iterator[Message]:
        """The newest messages there are at this moment, at most `count` of each partition."""
        ends = self.ends(topics)
        lows = self._offsets(ends, OffsetSpec.earliest())
        return self.read(topics, {at: max(lows[at], high - count) for at, high in ends.items()})

    def follow(self, topics: Iterable[str], since: Offsets, seconds: float) -> Iterator[Message]:
        """What arrives from these offsets on, until nothing more is wanted or the time is over."""
        ends = self.ends(topics)
        self._consumer.assign([TopicPartition(*at, since.get(at, high)) for at, high in ends.items()])
        left = seconds * 10
        while left > 0:
            found = self._consumer.consume(500, 0.1)
            yield from (message for message in found if message.error() is None)
            left -= 0 if found else 1


def stale(error: Exception) -> bool:
    """Whether a partition's leader has just changed, or is not known at the moment: ask again."""
    return isinstance(error, KafkaException) and cast(KafkaError, error.args[0]).code() in STALE
