"""Synthetic submissions, written with fastavro as an agency's stock serializer would."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import fastavro

from services.chassis.message import Message, Moment
from services.chassis.wire import frame
from services.ingestion.config import load_catalogue
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.definition import Field, Item
from services.ingestion.domain.item_schema import schema_of
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from services.ingestion.domain.submission import Submission
from services.ingestion.domain.wishes import canonical

NOW = Moment(int(datetime(2017, 9, 29, 4, 0, tzinfo=UTC).timestamp() * 1000))
DECIDED = date(2017, 9, 28)
PRODUCED = datetime(2017, 9, 28, 9, 30, tzinfo=UTC)
USCC = "91420100MA4KLM0N5H"
NAME = "演示甲有限公司"
SHIPPED = {shipped.item.code: shipped for shipped in load_catalogue()}
TODAY = NOW.now_ms // 86_400_000
OPEN: dict[str, Item] = {  # those that take reports at that moment
    code: shipped.item
    for code, shipped in SHIPPED.items()
    if shipped.item.standing.intake == "open" and shipped.item.standing.in_force(TODAY)
}
ITEMS = {code: item for code, item in OPEN.items() if item.subject_kinds != ("person",)}  # about organisations
OF_PERSONS = {code: item for code, item in OPEN.items() if code not in ITEMS}
NUMBER, PERSON_NAME = "420106190003070015", "演示某甲"
SCHEMA_IDS = {code: 100 + i for i, code in enumerate(sorted(SHIPPED))}
SCHEMAS = {code: fastavro.parse_schema(schema_of(shipped.item)) for code, shipped in SHIPPED.items()}
AGENCIES = {  # who reports: the first that the item names
    code: item.agencies[0].replace("*", "hbt") for code, item in ((code, s.item) for code, s in SHIPPED.items())
} | {
    "enterprise-registration": "420000-gsj",
    "org-permit": "420000-hbt",
    "org-penalty": "420000-hbt",
    "code-mapping": "420000-gsj",
    "red-list-tax-a": "420000-gsui",
    "black-list-environment": "420000-hbt",
    "credit-commitment": "420100-xyb",
    "court-defaulter": "420000-fy",
}


def old_form(code: str) -> dict[str, Any]:
    """A definition as it was published before there was a full form: it does not say from when it is in force."""
    whole = json.loads(canonical(SHIPPED[code].definition))
    return {name: value for name, value in whole.items() if name != "in_force_from"} | {"version": 1}


def reference() -> Reference:
    """Every shipped item published, every practice agency registered."""
    editions = tuple(
        EditionRow(code, shipped.item.version, canonical(shipped.definition), SCHEMA_IDS[code])
        for code, shipped in SHIPPED.items()
    )
    return Reference(1, tuple(AgencyRow(a, tuple(SHIPPED)) for a in sorted(set(AGENCIES.values()))), editions)


@cache
def reader(tolerance_ms: int = 600_000) -> SubmissionReader:
    """A reader that knows all of it."""
    register = Register()
    register.fill(reference())
    return SubmissionReader(register, tolerance_ms)


def good_value(field: Field, **envelope: Any) -> Any:
    """A value the field takes; `envelope`: what it may have to repeat."""
    if field.same_as or field.format or field.code_list:
        by_envelope = {"subject_name": NAME, "subject_code": USCC, "decided_on": DECIDED} | envelope
        by_format = {
            "uscc": USCC,
            "capital": "2,000(万元)",
            "old_code": "MA4KLM0N5",
            "commitment_no": "42010020170928000001",
        }
        return by_envelope.get(field.same_as) or by_format.get(field.format) or field.code_list[0].removesuffix("*")
    by_type = {
        "string": "演示内容",
        "date": DECIDED,
        "decimal": "0.2",
        "int": max(field.minimum, 0),
        "money_fen": 20_000,
        "bool": True,
    }
    return by_type[field.type]


def payload(item: str, **changes: Any) -> dict[str, Any]:
    """A valid payload, all fields filled."""
    return {field.code: good_value(field) for field in SHIPPED[item].item.fields} | changes


def record(
    item: str = "org-penalty", /, payload_changes: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """A whole valid submission."""
    return {
        "submission_id": "s-1",
        "item": item,
        "agency": AGENCIES.get(item, ""),
        "source_unit": "",
        "action": "report",
        "record_no": "r-1",
        "subject_kind": ITEMS[item].subject_kinds[0] if item in ITEMS else "org",
        "subject_code_kind": "uscc",
        "subject_code": USCC,
        "subject_name": NAME,
        "decided_on": DECIDED,
        "produced_at": PRODUCED,
        "payload": payload(item, **(payload_changes or {})),
    } | changes


def of_person(
    item: str = "person-penalty", /, payload_changes: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """The same, about a natural person who cannot be alive."""
    fields = {field.code: good_value(field, subject_name=PERSON_NAME) for field in SHIPPED[item].item.fields}
    named = {"subject_kind": "person", "subject_code_kind": "resident_id", "subject_code": NUMBER}
    whole = named | {"subject_name": PERSON_NAME, "payload": fields | (payload_changes or {})}
    return record(item) | whole | changes


def framed(submission: dict[str, Any], schema: str | None = None) -> bytes:
    """The submission in the wire format."""
    code = schema or submission["item"]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMAS[code], submission)
    return frame(SCHEMA_IDS[code], out.getvalue())


def message(value: bytes | None, agency: str = "420000-hbt", key: bytes = b"r-1", offset: int = 7) -> Message:
    """As the lane loop hands it over."""
    return Message(f"credit.submit.{agency}.v1", 2, offset, key, value, (), NOW.now_ms - 40)


def sent(submission: dict[str, Any], schema: str | None = None, agency: str | None = None) -> Message:
    """A submission on its agency's topic, under its key."""
    topic_agency = agency or AGENCIES[schema or submission["item"]]
    return message(framed(submission, schema), topic_agency, submission["record_no"].encode())


def read(submission: dict[str, Any], schema: str | None = None, agency: str | None = None) -> Submission:
    """What ingestion makes of it."""
    return reader().read(sent(submission, schema, agency), NOW)
