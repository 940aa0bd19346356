"""Catalogue items are data: an odd one that the definition's checks let pass is read, and never an exception."""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import pytest

from services.chassis.message import Message
from services.chassis.wire import frame
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain.item_schema import schema_of
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from tests.unit.ingestion import samples

ITEM, AGENCY, SCHEMA_ID = "code-mapping", "420000-gsj", 5


def field(code: str, **entries: Any) -> dict[str, Any]:
    """A field of a definition; a short mandatory text if nothing else is said."""
    plain = {"name_zh": "演示", "name_en": "demo", "type": "string", "max_length": 32, "required": "mandatory"}
    return plain | {"code": code} | entries


def register(*fields: dict[str, Any], **entries: Any) -> Register:
    """Knows one item, of these fields."""
    definition = samples.old_form(ITEM) | {"fields": list(fields)} | entries
    made = Register()
    edition = EditionRow(ITEM, 1, json.dumps(definition), SCHEMA_ID)
    made.fill(Reference(1, (AgencyRow(AGENCY, (ITEM,)),), (edition,)))
    return made


def message(known: Register, payload: dict[str, Any], **envelope: Any) -> Message:
    """A submission of that item, right but for what is said here."""
    edition = known.edition(SCHEMA_ID)
    assert edition is not None
    out = io.BytesIO()
    submission = samples.record(ITEM, payload=payload, **envelope)
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema_of(edition.item)), submission)
    return samples.message(frame(SCHEMA_ID, out.getvalue()), AGENCY)


ODD: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[str]]] = {
    "a format without the field it is read with": (
        [field("a", format="old_code")],
        {"a": "MA4KLM0N5"},
        ["FIELD_FORMAT"],
    ),
    "a day that must not come before a text": (
        [field("a"), field("b", type="date", not_before="a")],
        {"a": "甲", "b": 3},
        [],
    ),
    "a day that must not come before a number": (
        [field("a", type="int"), field("b", type="date", not_before="a")],
        {"a": 4, "b": 3},
        ["FIELD_ORDER"],
    ),
    "a condition on a part of zero": (
        [field("n", type="int"), field("a", required="conditional:n~0")],
        {"n": 0, "a": None},
        ["FIELD_MISSING"],
    ),
    "a condition on a part of a truth value": (
        [field("n", type="bool"), field("a", required="conditional:n~True")],
        {"n": True, "a": None},
        ["FIELD_MISSING"],
    ),
    "an amount that repeats another": (
        [field("a", type="decimal"), field("b", type="decimal", same_as="a")],
        {"a": "1", "b": "2"},
        ["FIELD_DISAGREES"],
    ),
    "a truth value that repeats another": (
        [field("a", type="bool"), field("b", type="bool", same_as="a")],
        {"a": True, "b": False},
        ["FIELD_DISAGREES"],
    ),
    "a text that looks like an identity number but has the wrong check digit": (
        [field("a")],
        {"a": "420106190003070011"},
        [],
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_item_is_read(case: str) -> None:
    fields, payload, faults = ODD[case]
    known = register(*fields)
    read = SubmissionReader(known, 0).read(message(known, payload), samples.NOW)
    assert [fault.code for fault in read.faults] == faults


def test_digits_that_are_no_identity_number_take_the_fast_path() -> None:
    known = register(field("a"))
    edition = known.edition(SCHEMA_ID)
    assert edition is not None
    value = message(known, {"a": "914201001234567891"}).value or b""
    assert edition.certainly_valid(value, len(value) - 19, None)  # type: ignore[arg-type] # needs no envelope
