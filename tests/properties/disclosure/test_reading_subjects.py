"""A subject is read field by field as a decoder reads it; what a decoder refuses is refused."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import python_writer
from services.chassis.wire import frame, zigzag
from services.disclosure.contracts.reference import SUBJECT, read_subject
from services.disclosure.domain.events import Code
from tests.support.local_schemas import LocalSchemas

SCHEMAS, NOW = LocalSchemas(), Moment(1_511_503_200_000)
LONG = st.integers(-(2**63), 2**63 - 1)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), max_size=30)
subjects = st.fixed_dictionaries(
    {
        "subject_id": st.binary(min_size=16, max_size=16),
        "subject_version": LONG,
        "change": st.text(max_size=9),
        "subject_kind": st.text(max_size=9),
        "name": st.none() | PLAIN,
        "codes": st.lists(st.fixed_dictionaries({"kind": PLAIN, "code": PLAIN}), max_size=4),
        "changed_at": st.integers(0, 2**42),
        "merged_into": st.none() | st.binary(min_size=16, max_size=16),
    }
)


def read(value: bytes) -> Any:
    return read_subject(SCHEMAS, Message(SUBJECT, 0, 0, b"", value, (), 0), NOW)


@given(subjects)
def test_it_is_what_was_said(subject: dict[str, Any]) -> None:
    found = read(SCHEMAS.encode(SUBJECT, subject))
    assert (found.subject_id, found.version) == (subject["subject_id"], subject["subject_version"])
    assert found.merged_into == subject["merged_into"]
    assert (found.kind, found.name) == (subject["subject_kind"], subject["name"] or None)
    assert found.codes == tuple(Code(one["kind"], one["code"]) for one in subject["codes"])


@given(subjects, st.data())
def test_what_is_cut_or_has_something_behind_it_is_unhandleable(subject: dict[str, Any], data: st.DataObject) -> None:
    whole = SCHEMAS.encode(SUBJECT, subject)
    for value in (whole[: data.draw(st.integers(0, len(whole) - 1))], whole + b"\0"):
        with pytest.raises(Unhandleable):
            read(value)


def test_codes_may_come_in_blocks_with_their_size_before_them() -> None:
    """No writer of ours makes them; the format has them."""
    codes = [python_writer(["string", "string"])("uscc", code) for code in ("A1", "B2", "C3")]
    blocks = zigzag(-2) + zigzag(len(codes[0] + codes[1])) + codes[0] + codes[1] + zigzag(1) + codes[2] + b"\0"
    head = python_writer(["fixed16", "long", "string", "string", "string?"])(b"S" * 16, 1, "CODE_ADDED", "org", None)
    value = frame(SCHEMAS.schema_id(SUBJECT), head + blocks + zigzag(NOW.now_ms) + b"\0")
    assert SCHEMAS.decode(value)[1]["codes"] == [{"kind": "uscc", "code": code} for code in ("A1", "B2", "C3")]
    assert read(value).codes == tuple(Code("uscc", code) for code in ("A1", "B2", "C3"))


def test_another_edition_is_read_by_its_names() -> None:
    subject = {"subject_id": b"S" * 16, "subject_version": 3, "change": "NAMED", "subject_kind": "org", "name": "演示"}
    subject |= {"codes": [{"kind": "uscc", "code": "A1"}], "changed_at": NOW.now_ms}
    own = SCHEMAS.get(SCHEMAS.schema_id(SUBJECT))
    assert own is not None
    first, *rest = own["fields"]  # the first one defines Id16
    later = {"name": "later", "type": "string", "default": ""}
    newer = fastavro.parse_schema({**own, "fields": [later, first, *reversed(rest)], "name": "cn.hubei.credit.Newer"})
    SCHEMAS.know(999, newer)
    out = io.BytesIO()
    fastavro.schemaless_writer(out, newer, {**subject, "later": "x"})
    assert read(frame(999, out.getvalue())) == read(SCHEMAS.encode(SUBJECT, subject))
