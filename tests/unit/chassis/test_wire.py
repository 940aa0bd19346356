"""The wire format, and the readers and writers of Avro's basic forms, against fastavro."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.chassis import wire
from services.chassis.errors import Unhandleable
from services.chassis.prefix import prefix_reader

KINDS = ("fixed16", "long", "string", "long?", "string?", "bytes")
NAMES = "abcdef"
SCHEMA: Any = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Head",
        "fields": [
            {"name": "a", "type": {"type": "fixed", "name": "Id16", "size": 16}},
            {"name": "b", "type": "long"},
            {"name": "c", "type": "string"},
            {"name": "d", "type": ["null", "long"]},
            {"name": "e", "type": ["null", "string"]},
            {"name": "f", "type": "bytes"},
        ],
    }
)
longs = some.integers(-(2**63), 2**63 - 1)
texts = some.text(max_size=200)
heads = some.tuples(
    some.binary(min_size=16, max_size=16),
    longs,
    texts,
    some.none() | longs,
    some.none() | texts,
    some.binary(max_size=200),
)
read = prefix_reader(KINDS)


def body(head: tuple[Any, ...]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, dict(zip(NAMES, head, strict=True)))
    return out.getvalue()


def test_frame_and_unframe() -> None:
    assert wire.frame(258, b"body") == b"\x00\x00\x00\x01\x02body"
    assert wire.unframe(b"\x00\x00\x00\x01\x02body") == (258, b"body")


@pytest.mark.parametrize("value", [None, b"", b"\x00\x00\x00\x01", b"\x01\x00\x00\x00\x01x", b"{}"])
def test_what_is_not_framed_is_unhandleable(value: bytes | None) -> None:
    with pytest.raises(Unhandleable) as caught:
        wire.unframe(value)
    assert caught.value.code == "WIRE_FORMAT"


@given(heads, some.binary(max_size=20))
def test_prefix_reader_agrees_with_fastavro(head: tuple[Any, ...], rest: bytes) -> None:
    data = body(head)
    assert read(data + rest, 0) == (*head, len(data))


@given(heads, some.data())
def test_a_cut_body_is_unhandleable(head: tuple[Any, ...], data: some.DataObject) -> None:
    whole = body(head)
    with pytest.raises(Unhandleable):
        read(whole[: data.draw(some.integers(0, len(whole) - 1))], 0)


@given(some.binary(max_size=80))
def test_noise_is_read_or_unhandleable(noise: bytes) -> None:
    try:
        *_, end = read(noise, 0)
    except Unhandleable:
        return
    assert end <= len(noise)


@given(heads)
def test_the_step_by_step_reader_agrees(head: tuple[Any, ...]) -> None:
    prefix = wire.Prefix(body(head))
    assert (prefix.fixed(16), prefix.long(), prefix.string(), prefix.optional_long()) == head[:4]


@given(longs, texts)
def test_writers_agree_with_fastavro(number: int, text: str) -> None:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    fastavro.schemaless_writer(out, "string", text)
    assert wire.zigzag(number) + wire.avro_bytes(text.encode()) == out.getvalue()
