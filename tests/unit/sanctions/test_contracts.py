"""Bytes in, inputs out; events in, messages out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import fastavro
import pytest

from services.chassis.errors import Unhandleable
from services.chassis.message import Moment
from services.chassis.schemas import AVRO, Schemas
from services.sanctions import contracts
from services.sanctions.config import load_memoranda
from services.sanctions.domain.deciding import decide
from services.sanctions.domain.events import FeedbackAnswered, TaskChanged
from services.sanctions.domain.feedback_rules import NOT_YOURS
from services.sanctions.domain.inputs import Irrelevant, RecordSeen
from services.sanctions.domain.joint_action import JointAction
from tests.support.fake_registry import FakeRegistry
from tests.support.linked_record import AT_MS, linked, message, submission

MEMORANDA = load_memoranda()
NOW = Moment(AT_MS)
TOPIC = "credit.feedback.420000-gsj.v1"


@pytest.fixture
async def schemas() -> AsyncIterator[Schemas]:
    async with FakeRegistry() as registry, Schemas(registry.url) as found:
        await found.register_all()
        yield found


def read(schemas: Schemas, value: bytes | None) -> RecordSeen | Irrelevant:
    """A linked record under the id that our edition has at this registry."""
    framed = value and value[:1] + schemas.schema_id(contracts.LINKED).to_bytes(4, "big") + value[5:]
    return contracts.read_record(schemas, MEMORANDA, message(contracts.LINKED, b"S" * 16, framed), NOW)


def seen(schemas: Schemas, **envelope: Any) -> RecordSeen:
    found = read(schemas, linked("court-defaulter", submission("court-defaulter", 7, **envelope)))
    assert isinstance(found, RecordSeen)
    return found


async def test_a_listing_is_read_without_its_payload(schemas: Schemas) -> None:
    found = seen(schemas, subject_code=" 91420100ma4klm0n5h ")
    assert (found.record_id, found.version, found.action, found.subject_kind) == (b"R" * 16, 1, "report", "org")
    assert (found.subject.code, found.subject.name) == ("91420100MA4KLM0N5H", "演示武汉甲贸易有限公司")
    assert found.opened_on == date(2017, 11, 24)


async def test_what_no_memorandum_names_is_left_alone(schemas: Schemas) -> None:
    value = linked("org-permit", b"not even framed")
    assert read(schemas, value) == Irrelevant()


@pytest.mark.parametrize("value", [None, b"", b"\1\0\0\0\1x", b"\0\0\0\0\1", linked("court-defaulter", b"x" * 40)[:60]])
async def test_a_record_that_is_none_is_unhandleable(schemas: Schemas, value: bytes | None) -> None:
    with pytest.raises(Unhandleable):
        read(schemas, value)


@pytest.mark.parametrize("value", [None, b"", b"\0\0\0\0\1\xff", b"hello", bytes(200)])
async def test_unreadable_feedback_becomes_a_fault_for_its_sender(schemas: Schemas, value: bytes | None) -> None:
    found = contracts.read_feedback(schemas, message(TOPIC, b"key\0", value), NOW)
    assert [fault.code for fault in found.faults] == ["FEEDBACK_UNREADABLE"]
    assert (found.topic_agency, found.task_id) == ("420000-gsj", "key\ufffd")


async def test_a_task_read_by_its_department_says_what_the_task_is(schemas: Schemas) -> None:
    state = JointAction(b"R" * 16)
    event = next(e for e in decide(state, seen(schemas)) if isinstance(e, TaskChanged))
    told = contracts.task_changed(schemas, event)
    _, record = schemas.decode(told.value)
    assert told.topic == f"credit.sanctions.task.{event.task.department}.v1"
    assert (told.key.decode(), told.kind != "", told.subject) == (event.task.task_id, True, event.task.task_id)
    assert (record["change"], record["task_version"]) == ("OPENED", 1)
    assert record["subject_name"] == "演示武汉甲贸易有限公司"
    assert record["due_on"] == date(2017, 12, 24)


async def test_a_refusal_to_a_foreign_agency_holds_no_content(schemas: Schemas) -> None:
    event = FeedbackAnswered("FEEDBACK_REFUSED", "420000-gsj", "t" * 32, "fb-1", (NOT_YOURS,), AT_MS, None)
    told = contracts.task_changed(schemas, event)
    _, record = schemas.decode(told.value)
    assert told.topic == "credit.sanctions.task.420000-gsj.v1"
    assert (record["faults"][0]["code"], record["task_version"]) == ("AGENCY_MISMATCH", None)
    assert not any(record[name] for name in ("measure", "measure_text", "subject_id", "subject_name", "record_id"))


GOLDEN = sorted((AVRO / "credit.feedback.v1" / "examples" / "1").glob("*.json"))


@pytest.mark.parametrize("example", GOLDEN, ids=lambda p: p.stem)
async def test_every_golden_feedback_is_read(schemas: Schemas, example: Path) -> None:
    schema = fastavro.parse_schema(json.loads((AVRO / "credit.feedback.v1" / "1.avsc").read_text()))
    with example.open() as file:
        (record,) = fastavro.json_reader(file, schema)
    value = schemas.encode("credit.feedback.v1", record)
    found = contracts.read_feedback(schemas, message(TOPIC, b"", value), NOW)
    assert (found.feedback_id, found.outcome, found.faults) == (record["feedback_id"], record["outcome"], ())
