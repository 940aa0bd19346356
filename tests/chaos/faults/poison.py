"""F13, F14: bytes that are no record, and records of a schema that nobody agreed to."""

from __future__ import annotations

import io
import json
import random
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, islice
from typing import Any, cast

import fastavro
from confluent_kafka import KafkaError, Producer

from services.cli.outsider import settings
from tests.chaos.fault import Measured, fault, require
from tests.chaos.faults.data import Name, name_of
from tests.chaos.ground import Ground, until
from tests.chaos.heard import Receipt

AGENCY = "420000-hbt"
TOPIC = f"credit.submit.{AGENCY}.v1"
ITEM = "cn.hubei.credit.item.org-permit"
ANSWERED_S = 10.0
TYPE = "application/vnd.schemaregistry.v1+json"
UNKNOWN_IDS = (0, 999_999, 2**31 - 1, 2**31, 2**32 - 1)

Value = bytes | None
Make = Callable[[bytes], Value]


def corpus(chance: random.Random, foreign: Sequence[int]) -> list[Make]:
    """Bytes of every kind that a broken or hostile sender may publish, each made of a good submission."""
    return [
        lambda good: None,
        lambda good: b"",
        lambda good: chance.randbytes(chance.randrange(1, 400)),
        lambda good: good[: chance.randrange(len(good))],
        lambda good: bytes([chance.randrange(1, 256)]) + good[1:],
        lambda good: good[:1] + chance.choice(UNKNOWN_IDS).to_bytes(4, "big") + good[5:],
        lambda good: good[:1] + chance.choice(foreign).to_bytes(4, "big") + good[5:],
        lambda good: good[:5] + chance.randbytes(200),
        lambda good: good + b"\0",
        lambda good: good[:5] + b"\xff" * 9 + b"\x01" + good[5:],  # a length beyond all bounds
        lambda good: good.replace("演示".encode(), b"\xed\xa0\x80\xed\xb0\x80"),  # surrogates are no UTF-8
        lambda good: good.replace("演示".encode(), b"\0" * 6),
        lambda good: good[:5] + b"[" * 900_000,
    ]


def permits(ground: Ground) -> Iterator[dict[str, Any]]:
    """Submissions of the agency that are good but for what is done to them."""
    while (draft := ground.load.draft()).item != "org-permit" or draft.agency != AGENCY:
        pass
    for number in count():
        yield ground.load.record(replace(draft, record_no=f"{draft.record_no}-{number}"))


def _foreign_schemas() -> Iterator[tuple[str, str]]:
    """What anybody who reaches the registry may leave there: deep, recursive, no Avro at all."""
    for depth in (50, 300, 900, 3000):
        yield '{"type":"array","items":' * depth + '"int"' + "}" * depth, "AVRO"
    link = {"name": "next", "type": ["null", "Chain"], "default": None}
    yield json.dumps({"type": "record", "name": "Chain", "fields": [link]}), "AVRO"
    yield '{"type":"object"}', "JSON"
    yield 'syntax = "proto3"; message A { string b = 1; }', "PROTOBUF"


def ask(ground: Ground, path: str, content: Mapping[str, Any] | None = None) -> tuple[int, Any]:
    """Status and answer of the registry."""
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(ground.layout.registry_url + path, body, {"Content-Type": TYPE})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def taken(ground: Ground, text: str, kind: str = "AVRO", subject: str = "") -> Any:
    """The id under which the registry keeps a schema, of a subject of its own; None if it refuses it."""
    subject = subject or f"chaos.{random.Random(text).randrange(10**9)}"
    status, answer = ask(ground, f"/subjects/{subject}/versions", {"schema": text, "schemaType": kind})
    return int(answer["id"]) if status == 200 else None


class Sender:
    """Publishes bytes as the agency and remembers by which names each may be answered."""

    def __init__(self, ground: Ground, **more: Any) -> None:
        self._door: Any = Producer(settings(ground.layout, AGENCY) | more)
        self.sent: list[tuple[Name, Name]] = []  # by its place, by its submission_id
        self.errors: list[Any] = []

    def send(self, record: Mapping[str, Any], value: Value) -> None:
        """Queue a message in this record's stead."""
        by_id = name_of(record)
        self._door.produce(TOPIC, value, record["record_no"], on_delivery=partial(self._delivered, by_id))
        self._door.poll(0)

    def _delivered(self, by_id: Name, error: Any, message: Any) -> None:
        if error is not None:
            self.errors.append(error)
        else:
            self.sent.append(((AGENCY, f"{TOPIC}/{message.partition()}/{message.offset()}"), by_id))

    def flush(self) -> None:
        """Return when the broker has answered all of it."""
        require(self._door.flush(60) == 0, "the broker does not answer")


def all_refused(ground: Ground, sender: Sender) -> Measured:
    """Everything that was sent has one answer, REFUSED, in time."""
    since = time.monotonic()

    def answers() -> list[Receipt]:
        heard = ground.verifier.listener.listen().receipts
        return [receipt for names in sender.sent for name in names for receipt in heard.get(name, ())]

    until(lambda: len(answers()) >= len(sender.sent), f"{len(sender.sent)} answers")
    took, found = time.monotonic() - since, answers()
    outcomes = Counter(receipt.outcome for receipt in found)
    require(outcomes == {"REFUSED": len(sender.sent)}, f"{len(sender.sent)} were answered {dict(outcomes)}")
    require(took < ANSWERED_S, f"answered only after {took:.1f} s")
    codes = sorted({code for receipt in found for code in receipt.codes})
    return Measured([], f"{len(found)} refused within {took:.1f} s: {', '.join(codes)}")


@fault("F13", "bytes that are no record", "1,000 values among the load: null, empty, random, truncated, wrong magic, "
       "unknown ids, surrogates, NUL, endless lengths, 900 kB, foreign, deep, recursive schemas; 10 MB at the broker",
       "each REFUSED with a code within 10 s, neighbours unaffected, I1–I8", None, quick=True)  # fmt: skip
def noise(ground: Ground, chance: random.Random) -> Measured:
    """Whatever an agency publishes is answered, and nobody else notices."""
    foreign = [number for text, kind in _foreign_schemas() if (number := taken(ground, text, kind)) is not None]
    require(foreign, "the registry takes no foreign schema at all")
    sender, made, good = Sender(ground, **{"message.max.bytes": 20_000_000}), corpus(chance, foreign), permits(ground)
    sender.send(next(good), b"\0" * 10_000_000)
    sender.flush()
    require([e.code() for e in sender.errors] == [KafkaError.MSG_SIZE_TOO_LARGE], "the broker took 10 MB")
    for number, record in enumerate(islice(good, 1000)):
        sender.send(record, made[number % len(made)](ground.load.encoded(record)))
    sender.flush()
    require(len(sender.errors) == 1, "the broker took not everything")
    measured = all_refused(ground, sender)
    measured.note += f"; {len(foreign)} foreign schemas"
    return measured


def _broken(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Changes that FULL_TRANSITIVE forbids: what, the changed schema, and values that a record needs for it."""
    for what, values in (("removed", {}), ("retyped", {"subject_kind": 7}), ("added", {"surprise": "演示"})):
        copy: dict[str, Any] = json.loads(json.dumps(schema))
        fields: list[dict[str, Any]] = copy["fields"]
        at = next(n for n, field in enumerate(fields) if field["name"] == "subject_kind")
        if what == "removed":
            del fields[at]
        elif what == "retyped":
            fields[at]["type"] = "long"
        else:
            fields.append({"name": "surprise", "type": "string"})
        yield what, copy, dict(values)


@fault("F14", "incompatible producer", "an item's schema with a field removed, retyped or added without default, an "
       "enum with a new symbol, offered to the registry; then such records under the id of another "
       "subject, and under the item's own id", "registry refuses; bypassed: REFUSED with a code within 10 s, I1–I8",
       None, quick=True)  # fmt: skip
def incompatible(ground: Ground, chance: random.Random) -> Measured:
    """The registry is the first line, ingestion the second."""
    status, newest = ask(ground, f"/subjects/{ITEM}/versions/latest")
    require(status == 200, "the registry has no schema of the item")
    sender, good = Sender(ground), permits(ground)
    for what, broken, values in _broken(json.loads(newest["schema"])):
        _refused(ground, ITEM, json.dumps(broken), f"a field {what}")
        foreign = taken(ground, json.dumps(broken))
        for schema_id in (foreign, newest["id"]) * 30:
            record = next(good)
            sender.send(record, _framed(schema_id, broken, record | values))
    symbols = [json.dumps({"type": "enum", "name": "Mark", "symbols": list(found)}) for found in ("AB", "ABC")]
    taken(ground, symbols[0], subject="chaos.mark")
    _refused(ground, "chaos.mark", symbols[1], "a new enum symbol")
    sender.flush()
    return all_refused(ground, sender)


def _refused(ground: Ground, subject: str, text: str, what: str) -> None:
    status, _ = ask(ground, f"/subjects/{subject}/versions", {"schema": text})
    require(status in (409, 422), f"the registry takes a schema with {what}: {status}")


def _framed(schema_id: int, schema: Mapping[str, Any], record: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    cast(Any, fastavro).schemaless_writer(out, fastavro.parse_schema(dict(schema)), record)
    return b"\0" + schema_id.to_bytes(4, "big") + out.getvalue()
