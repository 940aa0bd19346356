"""Cutting shown fields out of bytes says what decoding them says; whatever the item's fields and values are."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import Unhandleable
from services.chassis.schemas import AVRO, read_record
from services.chassis.wire import frame, unframe
from services.disclosure.contracts.changes import change_value
from services.disclosure.contracts.fields import EncodedFields, decode, encoded
from services.disclosure.contracts.records import day_of
from services.disclosure.contracts.showing import EPOCH, compile_shower
from services.disclosure.domain.edition import Edition
from services.disclosure.domain.events import FieldRule, RecordChanged, Shown

EARLY, LATE = date(1900, 1, 1), date(2199, 12, 31)
VALUES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "string": ("string", st.text(max_size=90)),
    "date": ({"type": "int", "logicalType": "date"}, st.dates(EARLY, LATE)),
    "int": ("int", st.integers(-(2**31), 2**31 - 1)),
    "long": ("long", st.integers(-(2**63), 2**63 - 1)),
    "boolean": ("boolean", st.booleans()),
}
kinds = st.tuples(st.sampled_from(sorted(VALUES)), st.booleans())
maps = st.dictionaries(st.text(max_size=6), st.text(max_size=90), max_size=5)
ENVELOPE_HEAD = ["submission_id", "item", "agency", "source_unit", "action", "record_no", "subject_kind"]
NAMES = [*ENVELOPE_HEAD, "subject_code_kind", "subject_code", "subject_name"]
MOMENT = {"type": "long", "logicalType": "timestamp-millis"}


def schema_of(payload: list[tuple[str, Any]]) -> Any:
    fields: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in NAMES]
    fields += [{"name": "decided_on", "type": VALUES["date"][0]}, {"name": "produced_at", "type": MOMENT}]
    inner = {"type": "record", "name": "P", "fields": [{"name": name, "type": kind} for name, kind in payload]}
    whole = {"type": "record", "name": "S", "fields": [*fields, {"name": "payload", "type": inner}]}
    return fastavro.parse_schema(whole)


@st.composite
def submissions(draw: st.DrawFn) -> tuple[Any, dict[str, Any], Edition, bool]:
    chosen = draw(st.lists(kinds, min_size=1, max_size=8))
    payload: list[tuple[str, Any]] = []
    values: dict[str, Any] = {}
    for i, (kind, optional) in enumerate(chosen):
        avro, strategy = VALUES[kind]
        payload.append((f"F{i}", ["null", avro] if optional else avro))
        values[f"F{i}"] = draw(st.none() | strategy) if optional else draw(strategy)
    named = {name: draw(st.text(max_size=70)) for name in NAMES}
    record = {
        **named,
        "decided_on": draw(st.dates(EARLY, LATE)),
        "produced_at": draw(st.datetimes()),
        "payload": values,
    }
    rules = tuple(FieldRule(f"F{i}", draw(st.booleans())) for i in range(len(chosen)) if draw(st.booleans()))
    return schema_of(payload), record, Edition(1, (*rules, FieldRule("ABSENT", False))), draw(st.booleans())


def body_of(schema: Any, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, {**record, "produced_at": 0})
    return out.getvalue()


@given(submissions())
def test_what_is_cut_out_is_what_the_decoded_record_shows(drawn: tuple[Any, dict[str, Any], Edition, bool]) -> None:
    schema, record, edition, person = drawn
    body = body_of(schema, record)
    shower = compile_shower(schema, edition, person)
    assert shower is not None
    cut = shower(frame(1, body), 5)
    read = read_record(schema, body)
    assert cut.fields == edition.show(read["payload"], person)
    assert cut[:3] == (read["subject_code_kind"], read["subject_code"], read["subject_name"])
    assert day_of(cut.decided_on) == read["decided_on"]


@given(submissions(), st.data())
def test_a_truncated_submission_is_unhandleable(drawn: tuple[Any, Any, Edition, bool], data: st.DataObject) -> None:
    schema, record, edition, person = drawn
    whole = frame(1, body_of(schema, record))
    shower = compile_shower(schema, edition, person)
    assert shower is not None
    with pytest.raises(Unhandleable):
        shower(whole[: data.draw(st.integers(5, len(whole) - 1))], 5)


@pytest.mark.parametrize(
    "avro", ["double", {"type": "bytes", "logicalType": "decimal", "precision": 9}, ["string", "null"]]
)
def test_a_type_that_no_code_is_made_for_is_left_to_the_decoder(avro: Any) -> None:
    assert compile_shower(schema_of([("F0", avro)]), Edition(1, (FieldRule("F0", False),)), False) is None


def test_an_envelope_that_may_be_null_is_left_to_the_decoder() -> None:
    schema = schema_of([("F0", "string")])
    wider = schema | {"fields": [{"name": "note", "type": ["null", "string"]}, *schema["fields"]]}
    assert compile_shower(wider, Edition(1, ()), False) is None


def test_a_type_that_is_only_skipped_may_be_a_double() -> None:
    schema = schema_of([("F0", "double"), ("F1", "string")])
    record: dict[str, Any] = dict.fromkeys(NAMES, "x") | {"decided_on": EARLY, "payload": {"F0": 0.5, "F1": "y"}}
    shower = compile_shower(schema, Edition(1, (FieldRule("F1", False),)), False)
    assert shower is not None
    assert shower(frame(1, body_of(schema, record)), 5).fields == {"F1": "y"}


@given(maps)
def test_fields_are_the_same_encoded_and_decoded(fields: dict[str, str]) -> None:
    assert decode(encoded(fields)) == EncodedFields(encoded(fields)) == fields


texts = st.text(max_size=20)
shown = st.builds(
    Shown, texts, st.integers(0, 99), texts, texts, st.none() | texts, st.none() | texts, st.dates(EARLY, LATE),
    st.just(0), maps.map(lambda fields: EncodedFields(encoded(fields))),
)  # fmt: skip
changes = st.builds(
    RecordChanged, st.just("public"), st.binary(min_size=16, max_size=16), st.integers(1, 2**40),
    st.sampled_from(["ADDED", "CORRECTED", "WITHDRAWN"]), st.binary(min_size=16, max_size=16), st.integers(1, 2**40),
    shown, st.lists(texts, max_size=3).map(tuple), st.none() | maps, st.none() | maps, st.none() | texts,
    st.integers(0, 2**42),
)  # fmt: skip


@given(changes)
def test_the_bytes_of_a_change_are_those_of_the_encoder(event: RecordChanged) -> None:
    text = (AVRO / "credit.disclosure.change.v1" / "1.avsc").read_text(encoding="utf-8")
    schema_id, body = unframe(change_value(7, event))
    assert schema_id == 7
    read = read_record(fastavro.parse_schema(json.loads(text)), body)
    about = event.shown
    assert read["subject_id"] == event.subject_id
    assert (read["subject_seq"], read["change"], read["version"]) == (event.subject_seq, event.change, event.version)
    assert (read["before"], read["after"]) == (event.before, event.after)
    assert (read["item"], read["item_version"], read["agency"]) == (about.item, about.item_version, about.agency)
    assert (read["subject_code"], read["subject_name"]) == (about.subject_code, about.subject_name)
    assert (
        read["decided_on"]
        == about.decided_on
        == date.fromordinal(EPOCH) + timedelta(about.decided_on.toordinal() - EPOCH)
    )
    assert (read["fields_changed"], read["reason"]) == (list(event.fields_changed), event.reason)
    assert read["record_id"] == event.record_id
    assert int(read["changed_at"].timestamp() * 1000 + 0.5) == event.at_ms
