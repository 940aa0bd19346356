"""What all peers stand on: a topic of flat records, one typed table in a database of their own, one Kafka user.

The records are the submissions themselves. Avro writes a nested record as its fields one after the other, so a flat
schema describes the very same bytes: only the schema id in the frame differs. The peers are spared the flattening.
"""

from __future__ import annotations

import io
import json
import urllib.request
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import fastavro

from bench.backlog import Doors
from bench.checks import digest, equal, md5s
from bench.rig import Connection, Rig
from bench.workload import Message, submission_id
from deploy.local import kafka_admin, passwords, postgres
from deploy.local.topics import Plan, Rule, Topic

NAME = "bench"  # of the Kafka user, the role and its database
TABLE, KEY = "permits", "submission_id"
PARTITIONS = 4
MARKS = 100  # of each partition, looked for to follow the progress
TYPES = {"string": "text", "int": "date", "long": "bigint"}


class Load(NamedTuple):
    """A topic that is full, what its table must hold in the end, and rows by which to follow the progress."""

    topic: str
    rows: int
    content: str
    marks: Sequence[str]


class Ground:
    """Made once per benchmark."""

    def __init__(self, rig: Rig, item_schema: dict[str, Any]) -> None:
        self.rig = rig
        self.schema = flattened(item_schema)
        self.columns = [(str(f["name"]), *_type(f["type"])) for f in self.schema["fields"]]
        self.schema_id = self._register()
        passwords.password(rig.layout.secrets, NAME)
        postgres.make_databases(rig.layout, (NAME,))

    def fill(self, topic: str, mark: str, messages: Sequence[Message]) -> Load:
        """A topic with these submissions under the flat schema, in four partitions."""
        rules = [Rule(NAME, operation, "TOPIC", "credit.bench.", True) for operation in ("READ", "WRITE")]
        rules += [Rule(NAME, "READ", "GROUP", prefix, True) for prefix in ("bench-", "connect-bench-")]
        plan = Plan((Topic(topic, PARTITIONS, {}),), (NAME,), tuple(rules))
        kafka_admin.apply(self.rig.layout, plan)
        doors, frame = Doors(self.rig, (NAME,)), b"\0" + self.schema_id.to_bytes(4)
        ids: list[list[str]] = [[] for _ in range(PARTITIONS)]
        for number, message in enumerate(messages):
            partition = zlib.crc32(message.key) % PARTITIONS
            doors.queue(NAME, topic, message.key, frame + message.value[5:], partition)
            ids[partition].append(submission_id(mark, number))
        doors.finish()
        marks = [each[len(each) * k // MARKS - 1] for each in ids for k in range(1, MARKS + 1) if len(each) >= MARKS]
        return Load(topic, len(messages), self._content(messages), marks)

    def _content(self, messages: Sequence[Message]) -> str:
        """The hash of all values of all rows, as `check` computes it of the table."""
        parsed, lines = cast(Any, fastavro).parse_schema(self.schema), list[str]()
        for _, _, value in messages:
            row = cast(Any, fastavro).schemaless_reader(io.BytesIO(value[5:]), parsed, None)
            lines.append(md5s("|".join(str(v) for v in row.values() if v is not None).encode()))
        return digest(lines)

    def _register(self) -> int:
        url = f"{self.rig.layout.registry_url}/subjects/credit.bench.flat-value/versions"
        body = json.dumps({"schema": json.dumps(self.schema)}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/vnd.schemaregistry.v1+json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - our own
            return int(json.load(answer)["id"])

    @property
    def insert(self) -> str:
        """One row; a row that is there stays."""
        marks = ", ".join(f"${n + 1}" for n in range(len(self.columns)))
        names = ", ".join(name for name, _, _ in self.columns)
        return f"INSERT INTO {TABLE} ({names}) VALUES ({marks}) ON CONFLICT ({KEY}) DO NOTHING"  # noqa: S608

    async def empty_table(self, connection: Connection) -> None:
        """A new table: every field a typed column, the key its only index."""
        columns = [f"{n} {t}{'' if optional else ' NOT NULL'}" for n, t, optional in self.columns]
        await connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        await connection.execute(f"CREATE TABLE {TABLE} ({', '.join(columns)}, PRIMARY KEY ({KEY}))")

    async def check(self, name: str, load: Load, connection: Connection) -> None:
        """Every submission is a row, and every value of it is right."""
        values = ", ".join(name for name, _, _ in self.columns)
        query = f"SELECT count(*), md5(string_agg(md5(concat_ws('|', {values})), '' ORDER BY {KEY})) FROM {TABLE}"  # noqa: S608
        equal(f"{name} rows and content", tuple(await connection.fetchrow(query) or ()), (load.rows, load.content))


def flattened(item: dict[str, Any]) -> dict[str, Any]:
    """The item's schema without its inner record; names as columns have them."""
    fields: list[dict[str, Any]] = []
    for field in item["fields"]:
        fields += field["type"]["fields"] if field["name"] == "payload" else [field]
    flat = [{"name": str(f["name"]).lower(), "type": _plain(f["type"])} for f in fields]
    return {"type": "record", "name": "FlatPermit", "namespace": "credit.bench", "fields": flat}


def _plain(kind: Any) -> object:
    """Moments are plain numbers, dates stay dates."""
    moment = isinstance(kind, dict) and cast("dict[str, Any]", kind).get("type") == "long"
    return "long" if moment else cast(object, kind)


def _type(kind: Any) -> tuple[str, bool]:
    """The column's type, and whether it may be null."""
    if isinstance(kind, list):
        return _type(cast("list[Any]", kind)[1])[0], True
    return TYPES[cast("dict[str, Any]", kind)["type"] if isinstance(kind, dict) else str(kind)], False
