"""Avro <-> domain: read by prefix, written as prefix and untouched body, and fastavro agrees."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import fastavro
import pytest

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.schemas import AVRO, Schemas
from services.chassis.wire import frame, unframe
from services.identity.contracts.records import ACCEPTED, Reader
from services.identity.contracts.telling import LINKED, SUBJECT, record_linked, subject_changed
from services.identity.domain.events import RecordLinked
from services.identity.domain.records import Link
from services.identity.domain.subject_events import SubjectChanged
from services.identity.domain.subjects import Code, Subject
from tests.support.fake_registry import FakeRegistry
from tests.unit.identity.samples import JIA, PEPPER, refer, subject_id

EXAMPLES = sorted((AVRO / ACCEPTED / "examples" / "1").glob("*.json"))
ITEM = json.loads((AVRO / "items" / "code-mapping" / "1.avsc").read_text())


@pytest.fixture
async def schemas() -> AsyncGenerator[Schemas]:
    async with FakeRegistry() as registry, Schemas(registry.url) as opened:
        await opened.register_all()
        yield opened


def golden(path: Path) -> dict[str, Any]:
    schema = fastavro.parse_schema(json.loads((AVRO / ACCEPTED / "1.avsc").read_text()))
    with path.open() as file:
        (record,) = fastavro.json_reader(file, schema)
    assert isinstance(record, dict)
    return record


def message(value: bytes | None) -> Message:
    return Message(ACCEPTED, 0, 0, b"", value, (), 0)


def submission(schema_id: int, **more: Any) -> bytes:
    """A code mapping as an agency frames it."""
    payload = {"uscc": JIA, "old_kind": "reg_no", "old_code": "420100000000014", "mapped_on": 17400}
    envelope = {f["name"]: "x" for f in ITEM["fields"]} | {"decided_on": 17400, "produced_at": 5}
    named = {"subject_kind": "org", "subject_code_kind": "uscc", "subject_code": JIA, "item": "code-mapping"}
    payload |= {name: more.pop(name) for name in list(more) if name in payload}
    out = io.BytesIO()
    record = {**envelope, **named, **more, "payload": payload}
    fastavro.schemaless_writer(out, fastavro.parse_schema(ITEM), record)
    return frame(schema_id, out.getvalue())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_every_golden_example_is_read_and_passed_on_untouched(path: Path, schemas: Schemas) -> None:
    record = golden(path)
    value = schemas.encode(ACCEPTED, record)
    seen = Reader(schemas, PEPPER).read(message(value), Moment(7))
    assert (seen.record_id, seen.version, seen.item) == (record["record_id"], record["version"], record["item"])
    assert (seen.action, seen.agency, seen.at_ms) == (record["action"], record["agency"], 7)
    assert seen.named == refer("uscc", JIA)
    sent = record_linked(schemas, RecordLinked(seen, Link(subject_id(JIA), "USCC", ("uscc",)), False, 1511503200123))
    assert (sent.topic, sent.key) == (LINKED, subject_id(JIA))
    _, decoded = schemas.decode(sent.value)
    assert decoded.pop("subject_id") == subject_id(JIA)
    assert decoded.pop("link_rule") == "USCC"
    assert round(decoded.pop("linked_at").timestamp() * 1000) == 1511503200123
    assert decoded == schemas.decode(value)[1]
    assert unframe(sent.value)[1].endswith(unframe(value)[1])


@pytest.mark.parametrize(
    ("kind", "code_kind", "named"),
    [
        ("person", "subject_id", ("subject_id", "ab" * 16, None)),
        ("person", "resident_id", ("", "", "CODE_KIND_UNKNOWN")),  # not sealed: nobody is made of it
        ("org", "subject_id", ("", "", "CODE_KIND_UNKNOWN")),  # an organisation has no such code
    ],
)
def test_a_person_is_who_the_sealed_record_says(
    kind: str, code_kind: str, named: tuple[str, str, str | None], schemas: Schemas
) -> None:
    record = golden(AVRO / ACCEPTED / "examples" / "1" / "code-mapping.json")
    envelope = {"subject_kind": kind, "subject_code_kind": code_kind, "subject_code": "ab" * 16}
    sent = {**record, "item": "person-award", "submission": submission(1, **envelope)}
    seen = Reader(schemas, PEPPER).read(message(schemas.encode(ACCEPTED, sent)), Moment(7))
    assert (seen.named.kind, seen.named.id.hex(), seen.named.fault) == named
    assert seen.named.code == ""


async def test_another_edition_is_decoded_and_written_anew(schemas: Schemas) -> None:
    """An upstream edition with a field more, and another order: what we say is our own contract still."""
    schema = json.loads((AVRO / ACCEPTED / "1.avsc").read_text())
    fields = [*schema["fields"], {"name": "later", "type": "string", "default": ""}]
    fields[2], fields[3] = fields[3], fields[2]
    newer = json.dumps({**schema, "fields": fields})
    schema_id = await schemas.register_text(f"{ACCEPTED}-value", newer)
    record = golden(EXAMPLES[0])
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(newer)), {**record, "later": "x"})
    seen = Reader(schemas, PEPPER).read(message(frame(schema_id, out.getvalue())), Moment(7))
    assert seen.accepted == unframe(schemas.encode(ACCEPTED, record))[1]


async def test_a_mapping_is_read_whole(schemas: Schemas) -> None:
    schema_id = await schemas.register_text("cn.hubei.credit.item.code-mapping", json.dumps(ITEM))
    reader = Reader(schemas, PEPPER)
    record = golden(AVRO / ACCEPTED / "examples" / "1" / "code-mapping.json")

    def complete(**more: Any) -> Any:
        value = schemas.encode(ACCEPTED, {**record, "submission": submission(schema_id, **more)})
        return reader.complete(reader.read(message(value), Moment(7)))

    (claim,) = complete().claims
    assert (claim.subject, claim.alias, claim.binding) == (refer("uscc", JIA), refer("reg_no", "420100000000014"), True)
    for bad in ({"old_code": "420100000000015"}, {"old_kind": "uscc", "old_code": JIA}, {"uscc": "x"}):
        assert (complete(**bad).claims, complete(**bad).trouble) == ((), "MAPPING_UNREADABLE")


def test_a_mapping_of_an_unknown_schema_is_in_doubt_not_lost(schemas: Schemas) -> None:
    reader = Reader(schemas, PEPPER)
    record = golden(AVRO / ACCEPTED / "examples" / "1" / "code-mapping.json")
    seen = reader.read(message(schemas.encode(ACCEPTED, {**record, "submission": submission(999)})), Moment(7))
    assert reader.complete(seen).trouble == "MAPPING_UNREADABLE"
    assert reader.complete(seen._replace(action="withdraw")).trouble is None


@pytest.mark.parametrize("cut", [0, 4, 5, 20, 40, 80, -1])
def test_truncated_bytes_are_unhandleable(cut: int, schemas: Schemas) -> None:
    value = schemas.encode(ACCEPTED, golden(EXAMPLES[0]))
    with pytest.raises(Unhandleable):
        Reader(schemas, PEPPER).read(message(value[:cut]), Moment(7))


def test_nothing_is_unhandleable(schemas: Schemas) -> None:
    with pytest.raises(Unhandleable):
        Reader(schemas, PEPPER).read(message(None), Moment(7))


def test_a_subject_is_told_whole(schemas: Schemas) -> None:
    subject = Subject(subject_id(JIA), "org", None, 0, 3, (Code("uscc", JIA), Code("reg_no", "420100000000014")))
    sent = subject_changed(schemas, SubjectChanged(subject, "CODE_ADDED", 1511503200000))
    assert (sent.topic, sent.key) == (SUBJECT, subject_id(JIA))
    _, decoded = schemas.decode(sent.value)
    assert (decoded["subject_version"], decoded["change"], decoded["name"]) == (3, "CODE_ADDED", None)
    assert decoded["codes"] == [{"kind": "uscc", "code": JIA}, {"kind": "reg_no", "code": "420100000000014"}]
