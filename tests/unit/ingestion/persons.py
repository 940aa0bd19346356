"""A made-up catalogue item about natural persons, and submissions about people who cannot be alive."""

from __future__ import annotations

import io
from typing import Any

import fastavro

from services.chassis.message import Message
from services.chassis.wire import frame
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.definition import Item, parse
from services.ingestion.domain.item_schema import schema_of
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from services.ingestion.domain.submission import Submission
from services.ingestion.domain.wishes import canonical
from tests.unit.ingestion import samples

CODE, SCHEMA_ID, AGENCY = "person-practice", 900, "420000-hbt"
NUMBER, OTHER = "420106190003070015", "420101190112311007"
NAME, PHONE, PLACE = "演示某甲", "02700000001", "演示路一号"


def _text(code: str, name_zh: str, required: str = "mandatory", **more: Any) -> dict[str, Any]:
    entry = {"code": code, "name_zh": name_zh, "name_en": code, "type": "string", "max_length": 200}
    return entry | {"required": required} | more


FIELDS = [
    _text("holder", "获奖人", same_as="subject_name"),
    _text("title", "奖项"),
    _text("phone", "联系方式", "optional", sensitivity="person_name"),
    _text("contact", "通信处", sensitivity="person_name"),
    {"code": "awarded_on", "name_zh": "日期", "name_en": "Date", "type": "date", "required": "mandatory"},
]
OF_PERMITS = ("vintages", "display", "national", "business_key")  # what names the fields of that item
DEFINITION: dict[str, Any] = {k: v for k, v in samples.old_form("org-permit").items() if k not in OF_PERMITS} | {
    "code": CODE,
    "version": 1,
    "subject_kinds": ["person", "org"],
    "envelope_columns": {},
    "fields": FIELDS,
}


def _item() -> Item:
    item, faults = parse(DEFINITION)
    assert item is not None, faults
    return item


ITEM = _item()
SCHEMA = fastavro.parse_schema(schema_of(ITEM))


def register() -> Register:
    """Which knows this item besides all that is shipped."""
    known = samples.reference()
    edition = EditionRow(CODE, 1, canonical(DEFINITION), SCHEMA_ID)
    agencies = tuple(AgencyRow(agency.code, (*agency.items, CODE)) for agency in known.agencies)
    found = Register()
    found.fill(Reference(1, agencies, (*known.editions, edition)))
    return found


READER = SubmissionReader(register(), 600_000)


def record(payload: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A whole valid submission about a person."""
    plain = {"holder": NAME, "title": "演示奖", "phone": PHONE, "contact": PLACE, "awarded_on": samples.DECIDED}
    whole = samples.record("org-permit") | {
        "item": CODE,
        "agency": AGENCY,
        "subject_kind": "person",
        "subject_code_kind": "resident_id",
        "subject_code": NUMBER,
        "subject_name": NAME,
        "payload": plain | (payload or {}),
    }
    return whole | changes


def message(submission: dict[str, Any]) -> Message:
    """As an agency's client publishes it."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, SCHEMA, submission)
    return samples.message(frame(SCHEMA_ID, body.getvalue()), AGENCY, submission["record_no"].encode())


def read(submission: dict[str, Any]) -> Submission:
    """As the lane loop reads it."""
    return READER.read(message(submission), samples.NOW)
