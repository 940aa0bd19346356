"""Reads topics, registry and stores of a running system as an outsider: stock clients, plain files, no code of ours."""

# pyright: reportPrivateImportUsage=false
# The library re-exports its own classes without saying so.

from __future__ import annotations

import asyncio
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, cast

import asyncpg
import fastavro
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from fastavro.schema import SchemaParseException

from tests.chaos.facts import Facts
from tests.chaos.heard import LINK, Heard
from tests.chaos.positions import Place

SERVICES = ("ingestion", "identity", "disclosure", "sanctions", "national_sync")
UNREAD = (".outcome.",)  # decoded for nobody; their positions count all the same
PATIENCE_S = 60.0


class Unreadable(Exception):
    """Something the verifier needs does not answer: nothing is known then, least of all that all is well."""


class Lane(NamedTuple):
    """A consumed partition as a service's store has it."""

    next_offset: int
    position: int
    published: int


@dataclass(frozen=True)
class Doors:
    """Where a system listens; from the variables of its `stack.env`."""

    kafka: str
    registry: str
    postgres: str
    secrets: Path
    grpc: Mapping[str, str]
    http: Mapping[str, str]
    national: str
    var: Path
    user: str = "operator"

    @staticmethod
    def from_environment(env: Mapping[str, str]) -> Doors:
        """Raises `Unreadable` naming the variable that is missing."""
        try:
            return Doors(
                env["CREDIT_KAFKA"], env["CREDIT_REGISTRY"], env["CREDIT_POSTGRES"], Path(env["CREDIT_SECRETS"]),
                {name: env[f"CREDIT_{name.upper()}_GRPC"] for name in SERVICES},
                {name: env[f"CREDIT_{name.upper()}_HTTP"] for name in SERVICES},
                env["CREDIT_NATIONAL_URL"], Path(env["CREDIT_VAR"]), env.get("CREDIT_VERIFY_USER", "operator"),
            )  # fmt: skip
        except KeyError as missing:
            raise Unreadable(f"{missing.args[0]} is not set: set -a; . var/stack.env; set +a") from None

    def password(self, name: str) -> str:
        """From the file of this principal or role."""
        return (self.secrets / f"{name}.password").read_text().strip()

    def client(self) -> dict[str, Any]:
        """Settings of a stock Kafka client."""
        return {
            "bootstrap.servers": self.kafka, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.user, "sasl.password": self.password(self.user), "log_level": 0,
        }  # fmt: skip


@dataclass
class Listener:
    """Reads every topic of the platform from the beginning, and at each call what has come since."""

    doors: Doors
    facts: Facts = field(default_factory=Facts)
    schemas: dict[int, Any] = field(default_factory=dict[int, Any])
    next: dict[Place, int] = field(default_factory=dict[Place, int])

    def __post_init__(self) -> None:
        wanted = {"group.id": f"{self.doors.user}.verify", "enable.auto.commit": False, "fetch.wait.max.ms": 50,
                  "isolation.level": "read_committed", "auto.offset.reset": "error"}  # fmt: skip
        self._consumer: Any = Consumer(self.doors.client() | wanted)
        self._admin: Any = AdminClient(self.doors.client())

    def ends(self, prefix: str = "credit.", which: Any = None) -> dict[Place, int]:
        """The end (or what `which` names) of every partition of the topics with this prefix."""
        known: Mapping[str, Any] = self._admin.list_topics(timeout=20).topics
        places = [(t, n) for t in known if t.startswith(prefix) for n in known[t].partitions]
        asked = {TopicPartition(*at): which or OffsetSpec.latest() for at in places}
        found: dict[Any, Any] = self._admin.list_offsets(asked, request_timeout=20)
        return {(at.topic, at.partition): future.result(30).offset for at, future in found.items()}

    def listen(self) -> Facts:
        """Everything up to where the topics end now."""
        ends = self.ends()
        lows = self.ends(which=OffsetSpec.earliest())
        todo = {at: end for at, end in ends.items() if max(self.next.get(at, 0), lows[at]) < end}
        self._consumer.assign([TopicPartition(*at, max(self.next.get(at, 0), lows[at])) for at in todo])
        give_up = time.monotonic() + PATIENCE_S
        while todo:
            messages = self._consumer.consume(5000, 0.1)  # returns when it has that many or the time is over
            if messages:
                give_up = time.monotonic() + PATIENCE_S
            elif time.monotonic() > give_up:
                raise Unreadable(f"nothing more to read, yet not at the end of {min(todo)}")
            for message in messages:
                self._hear(message)
            self._drop_finished(todo)
        self._consumer.unassign()
        return self.facts

    def _drop_finished(self, todo: dict[Place, int]) -> None:
        """By the consumer's own position: markers of transactions are offsets without a message."""
        for at in self._consumer.position([TopicPartition(*at) for at in todo]):
            if at.offset >= todo[at.topic, at.partition]:
                self.next[at.topic, at.partition] = max(at.offset, self.next.get((at.topic, at.partition), 0))
                del todo[at.topic, at.partition]

    def _hear(self, message: Any) -> None:
        if message.error() is not None:
            if message.error().code() < 0:
                return  # the library tells of a connection
            raise Unreadable(f"reading {message.topic()}: {message.error()}")
        # Also of a partition that has been read to its end: the others may not be, and meanwhile more may come.
        self.next[message.topic(), message.partition()] = message.offset() + 1
        value: bytes = message.value() or b""
        record = None if any(mark in message.topic() for mark in UNREAD) else self._decode(value)
        if record is None and message.topic().startswith("credit.submit."):
            record = front(value)
        if message.topic() == LINK and record is not None and record["record"] is not None:
            record = record | {"record": self._decode(record["record"]) or {}}
        digest = int.from_bytes(blake2b(value, digest_size=8).digest(), "big")
        headers: dict[str, bytes] = dict(message.headers() or ())
        place = message.topic(), message.partition(), message.offset()
        self.facts.hear(Heard(*place, message.key() or b"", headers, record, digest))

    def _decode(self, value: bytes) -> dict[str, Any] | None:
        """None: no record of a schema the registry knows, nothing left over."""
        schema = self._schema(int.from_bytes(value[1:5], "big")) if value[:1] == b"\0" and len(value) > 5 else None
        if schema is None:
            return None
        stream = io.BytesIO(value[5:])
        try:
            record = cast(Any, fastavro).schemaless_reader(stream, schema, None)
        except Exception:  # noqa: BLE001 - whatever a decoder says of foreign bytes, they are no record
            return None
        return record if isinstance(record, dict) and stream.tell() == len(value) - 5 else None  # pyright: ignore[reportUnknownVariableType]

    def _schema(self, number: int) -> Any:
        if number not in self.schemas:
            text = schema_text(self.doors.registry, number)
            self.schemas[number] = None if text is None else _parsed(text)
        return self.schemas[number]

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def schema_text(registry: str, number: int) -> str | None:
    """None: it knows no such schema. For a moment after its database was killed it answers 500: then it is asked again.

    Raises `Unreadable` for any other answer, and when it goes on so.
    """
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"{registry}/schemas/ids/{number}", timeout=20) as answer:
                text: str = json.load(answer)["schema"]
                return text
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            if error.code < 500 or time.monotonic() > give_up:
                raise Unreadable(f"the registry: {error}") from error
        time.sleep(0.2)


def _parsed(text: str) -> Any:
    """None for what anybody has left in the registry that is no Avro, or cannot be read."""
    try:
        return cast(Any, fastavro).parse_schema(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError, SchemaParseException):
        return None


def front(value: bytes) -> dict[str, Any] | None:
    """The first field of bytes that are no submission: a receipt may go by it, or by the place of the bytes."""
    stream = io.BytesIO(value[5:])
    try:
        return {"submission_id": cast(Any, fastavro).schemaless_reader(stream, "string", None)}
    except Exception:  # noqa: BLE001 - as above: then it has no name
        return None


def ask(doors: Doors, questions: Iterable[tuple[str, str]]) -> list[list[Any]]:
    """Each (service, statement) in that service's own store, side by side; raises `Unreadable`."""
    # Before the try: a role without a password is no store that is away, it is a question nobody can answer.
    asked = [(role, doors.password(role), statement) for role, statement in questions]
    try:
        return asyncio.run(_ask(doors, asked))
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise Unreadable(f"a store does not answer: {type(error).__name__}") from error


async def _ask(doors: Doors, asked: list[tuple[str, str, str]]) -> list[list[Any]]:
    return await asyncio.gather(*(_fetch(doors, *question) for question in asked))


async def _fetch(doors: Doors, role: str, secret: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(f"postgresql://{role}@{doors.postgres}/{role}", password=secret, timeout=10)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


LANES = "SELECT topic, partition, next_offset, position, published FROM lanes"


def lanes(doors: Doors, services: Iterable[str] = SERVICES) -> dict[str, dict[Place, Lane]]:
    """Service -> its lanes."""
    names = list(services)
    answers = ask(doors, [(name, LANES) for name in names])
    return {n: {(r[0], r[1]): Lane(*r[2:]) for r in rows} for n, rows in zip(names, answers, strict=True)}


def behind(ends: Mapping[Place, int], found: Mapping[str, Mapping[Place, Lane]]) -> dict[str, int]:
    """Service -> messages its lanes have not read, plus events they have said and not noted as published."""
    return {
        name: sum(
            max(0, ends.get(at, 0) - lane.next_offset) + lane.position - lane.published for at, lane in of.items()
        )
        for name, of in found.items()
    }
