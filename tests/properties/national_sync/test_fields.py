"""What is cut out of a submission's bytes is what the decoded payload is told as, or the same refusal."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import Unhandleable
from services.national_sync.config import load_mappings
from services.national_sync.contracts.fields import NationalFields, compile_cutter
from services.national_sync.contracts.linked import read_submission
from services.national_sync.domain.mapping import Unmappable, to_national
from tests.support.linked_record import item_schema
from tests.support.local_schemas import LocalSchemas

MAPPINGS = load_mappings()
ITEMS = sorted(MAPPINGS)
SCHEMAS = LocalSchemas()
NUMBER = {item: 900 + n for n, item in enumerate(ITEMS)}
for item in ITEMS:
    SCHEMAS._parsed[NUMBER[item]] = fastavro.parse_schema(item_schema(item))  # pyright: ignore[reportPrivateUsage]
FIELDS = NationalFields(SCHEMAS, MAPPINGS)

TEXT = st.text(max_size=20) | st.sampled_from(["", "0.20", "12", "-1", "1e3", " 91420100ma4klm0n5h ", "演示"])
VALUES = {"string": TEXT, "long": st.integers(-(2**63), 2**63 - 1), "int": st.integers(-(2**31), 2**31 - 1)}
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))


def value_of(avro: Any) -> st.SearchStrategy[Any]:
    if isinstance(avro, list):
        return st.none() | value_of(avro[1])
    if isinstance(avro, dict):
        return DAYS if avro.get("logicalType") == "date" else st.integers(0, 2**40)
    return VALUES[avro]


def record_of(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {f["name"]: f["type"] for f in schema["fields"]}
    payload = st.fixed_dictionaries({f["name"]: value_of(f["type"]) for f in fields.pop("payload")["fields"]})
    return st.fixed_dictionaries({name: value_of(avro) for name, avro in fields.items()} | {"payload": payload})


def framed(item: str, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMAS.get(NUMBER[item]), record)
    return b"\0" + NUMBER[item].to_bytes(4, "big") + out.getvalue()


def told(tell: Any) -> Any:
    try:
        return tell()
    except (Unmappable, Unhandleable) as trouble:
        return type(trouble), trouble.args


def slowly(item: str, submission: bytes) -> Any:
    return told(lambda: to_national(MAPPINGS[item], read_submission(SCHEMAS, submission)["payload"]))


@given(st.data(), st.sampled_from(ITEMS))
def test_a_submission(data: st.DataObject, item: str) -> None:
    submission = framed(item, data.draw(record_of(item_schema(item))))
    assert told(lambda: FIELDS.of(item, submission)) == slowly(item, submission)


@given(st.data(), st.sampled_from(ITEMS), st.binary(max_size=9))
def test_a_damaged_submission(data: st.DataObject, item: str, damage: bytes) -> None:
    whole = framed(item, data.draw(record_of(item_schema(item))))
    at = data.draw(st.integers(5, len(whole)))
    broken = whole[:at] + damage + whole[at + data.draw(st.integers(0, 9)) :]
    assert told(lambda: FIELDS.of(item, broken)) == slowly(item, broken)


@pytest.mark.parametrize("item", ITEMS)
def test_the_items_of_the_catalogue_are_cut(item: str) -> None:
    """They would be decoded otherwise, and nobody would notice but the processor."""
    assert compile_cutter(SCHEMAS.get(NUMBER[item]), MAPPINGS[item]) is not None


@pytest.mark.parametrize("strange", [{"type": "array", "items": "string"}, ["null", "string", "long"], ["string"]])
def test_a_type_that_is_not_known_is_decoded(strange: Any) -> None:
    schema = item_schema("org-penalty")
    payload = next(f for f in schema["fields"] if f["name"] == "payload")
    payload["type"]["fields"].append({"name": "STRANGE", "type": strange})
    assert compile_cutter(fastavro.parse_schema(schema), MAPPINGS["org-penalty"]) is None
