"""A receipt tells what was read by its form alone, and its example mends what it is about."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.domain import received
from services.ingestion.domain.examples import example
from services.ingestion.domain.validators import compile_validator
from tests.properties.ingestion import strategies
from tests.unit.ingestion import samples

SIGNS = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("0123456789XxMA演示０Ｘ 　\n"), max_size=40)
OTHERS = {"9": "0123456789", "A": "ABCDEFGHJKLMNPQRTUWXY", "a": "abcxyz", "字": "演示甲乙丙丁", "９": "０１２９"}


@given(SIGNS, st.randoms(use_true_random=False))
def test_texts_of_the_same_kinds_are_described_by_the_same_words(value: str, chance: Any) -> None:
    """Non-interference: whoever reads a description learns nothing that the kinds do not say."""
    other = "".join(chance.choice(OTHERS.get(received.kind_of(sign), sign)) for sign in value)
    assert received.text(value) == received.text(other)
    assert received.shape(value) == received.shape(other)


@given(st.lists(st.integers(0, 9), min_size=10, max_size=10, unique=True), SIGNS, SIGNS)
def test_comparing_tells_where_two_texts_part_and_not_what_stands_there(digits: Any, value: str, other: str) -> None:
    renamed = str.maketrans("0123456789", "".join(map(str, digits)))
    assert received.compared(value, other) == received.compared(value.translate(renamed), other.translate(renamed))
    at = received.parting(value, other)
    assert value[: at - 1] == other[: at - 1]
    assert value[:at] != other[:at] or value == other


SHAPE = r"[9Aa字９Ａ␣␀?…{}\d\-_/.,:;()\[\]%+*，。；：、（）〔〕【】《》]+"
WORDS = re.compile(
    rf"(?:part=\d+ )?(?:absent|length=\d+(?: shape={SHAPE})?(?: at=\d+)?"
    r"(?: other_length=\d+)?|digits=-?\d+ side=(?:below|above)|side=(?:before|after) by=(?:week|year|more)"
    r"|bytes=\d+ frame=(?:missing|right(?: schema_id=\d+)?)|item=[a-z-]+)"
)


@given(strategies.submissions())
def test_every_fault_tells_what_was_read_in_the_notation_and_repeats_no_value(submission: dict[str, Any]) -> None:
    given_ = samples.read(submission)
    sent = [v for v in (*submission.values(), *submission["payload"].values()) if isinstance(v, str)]
    for fault in given_.faults:
        assert WORDS.fullmatch(fault.received), (fault.code, fault.received)
        for value in sent:
            if len(value) > 3 and value != received.shape(value):
                assert value not in fault.received
        assert fault.clause and fault.example


@given(st.binary(max_size=40))
def test_bytes_that_are_no_submission_are_described_by_their_number(value: bytes) -> None:
    told = received.framed(value, known=False)
    assert WORDS.fullmatch(told)
    assert told.startswith(f"bytes={len(value)} ")
    assert received.framed(b"420106190003070015", known=False) == "bytes=18 frame=missing"
    assert "schema_id" not in received.framed(b"\x0042019003", known=False)


PARSED: dict[str, Callable[[str], Any]] = {
    "date": lambda text: (date.fromisoformat(text) - date(1970, 1, 1)).days,
    "int": int,
    "money_fen": int,
    "bool": lambda text: text == "true",
}
SENT_TOO = {"subject_kind": "org", "subject_code_kind": "uscc"}


@pytest.mark.parametrize("code", sorted(samples.ITEMS))
def test_the_example_of_a_field_is_a_right_value_of_it(code: str) -> None:
    """Put into the field, it takes every fault away but those that name another field."""
    item = samples.ITEMS[code]
    validate = compile_validator(item)
    for field in item.fields:
        value = PARSED.get(field.type, str)(example(field))
        values = {**SENT_TOO, "old_kind": "org_code", field.code: value}
        found = {f.code for f in validate(values) if f.field == field.code}
        assert found <= {"FIELD_DISAGREES", "FIELD_ORDER"}, field.code
