"""The native codec says what the Python one says, of whole and of damaged bytes."""

from __future__ import annotations

import os
import random
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import sealing
from services.chassis.errors import Unhandleable
from services.chassis.message import Outgoing
from services.chassis.native import load
from services.chassis.prefix import PrefixReader, python_reader, python_writer
from tests.properties.chassis.test_written_fields import KINDS
from tests.support.sanitized import SANITIZED, sanitized

native: Any = sanitized("_wire") if SANITIZED else load({})
if native is None:
    pytest.skip("native codec: not built, or stale", allow_module_level=True)

ALL = [*KINDS, "bytes?", "fixed7?", "fixed0"]
DAMAGED = int(os.environ.get("DAMAGED", "20000"))
STAMP = sealing.Stamp("disclosure", b"disclosure/1/t/3", 1_511_503_200_000)


def outcome(read: PrefixReader, data: bytes, at: int) -> Any:
    """What it says, or the code of its refusal."""
    try:
        return read(data, at)
    except Unhandleable as trouble:
        return trouble.code


@cache
def readers(kinds: tuple[str, ...]) -> tuple[PrefixReader, PrefixReader]:
    return native.Fields(kinds, Unhandleable).read, python_reader(kinds)


def agree(kinds: list[str], data: bytes, at: int = 0) -> None:
    one, other = readers(tuple(kinds))
    assert outcome(one, data, at) == outcome(other, data, at), (kinds, data, at)


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=6), st.binary(max_size=40), st.integers(0, 50))
def test_any_bytes(kinds: list[str], data: bytes, at: int) -> None:
    agree(kinds, data, at)


@given(st.data())
def test_what_is_written(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=7))
    values = [data.draw(KINDS[kind][1]) for kind in kinds]
    assert native.Fields(kinds, Unhandleable).write(*values) == python_writer(kinds)(*values)


def test_damaged_bytes() -> None:
    chance = random.Random(20171124)
    whole = python_writer(ALL)(2**40, "演示企业", b"x" * 200, b"i" * 16, -5, "演示", None, b"f" * 7, b"")
    for _ in range(DAMAGED):
        data = bytearray(whole[: chance.randrange(len(whole) + 1)] if chance.random() < 0.3 else whole)
        for _ in range(chance.randrange(4)):
            if data:
                data[chance.randrange(len(data))] = chance.choice((0, 1, 2, 127, 128, 255, chance.randrange(256)))
        agree(chance.choice((ALL, ALL[::-1], ALL[3:])), bytes(data), chance.randrange(3))


LONGS = {
    "the largest": (b"\xfe" + b"\xff" * 8 + b"\x01", 2**63 - 1),
    "the smallest": (b"\xff" * 9 + b"\x01", -(2**63)),
    "65 bits": (b"\xff" * 9 + b"\x02", "LONG_TOO_LONG"),
    "eleven bytes": (b"\xff" * 10 + b"\x01", "LONG_TOO_LONG"),
    "cut": (b"\xff" * 3, "TRUNCATED"),
}


@pytest.mark.parametrize(("data", "expected"), LONGS.values(), ids=LONGS)
def test_longs(data: bytes, expected: Any) -> None:
    for read in (native.Fields(["long"], Unhandleable).read, python_reader(["long"])):
        found = outcome(read, data, 0)
        assert (found[0] if isinstance(found, tuple) else found) == expected


MISUSE = {
    "an unknown kind": lambda: native.Fields(["double"], Unhandleable),
    "a size too many": lambda: native.Fields(["long8"], Unhandleable),
    "text for bytes": lambda: native.Fields(["bytes"], Unhandleable).write("text"),
    "a value too few": lambda: native.Fields(["long", "long"], Unhandleable).write(1),
    "a position before the data": lambda: native.Fields(["long"], Unhandleable).read(b"\0", -1),
    "a lone surrogate": lambda: native.Fields(["string"], Unhandleable).write("\ud800"),
    "no event": lambda: native.pack([(("t", 1), ("t", b"k"))], 1, b"o", lambda _: b"", 9),
    "a front that is no bytes": lambda: native.pack([(("t", 1), Outgoing("t", b"", b""))], 1, b"o", lambda _: "", 9),
}


@pytest.mark.parametrize("misuse", MISUSE.values(), ids=MISUSE)
def test_misuse_is_an_error_and_no_crash(misuse: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        misuse()


events = st.builds(
    Outgoing,
    st.sampled_from(("t", "u")),
    st.binary(max_size=20),
    st.binary(max_size=300),
    st.none(),
    st.sampled_from(((), (("correlation_id", b"c" * 70),))),
    st.sampled_from(("", "cn.hubei.credit.change.v1")),
    st.text(max_size=40),
)
placed = st.lists(st.tuples(st.tuples(st.sampled_from(("t", "u")), st.integers(0, 3)), events), max_size=80)


@given(placed, st.integers(1, 2**40), st.sampled_from((0, 100, 900, 1_000_000)))
def test_records(given_events: list[Any], first: int, limit: int) -> None:
    told = (given_events, first, STAMP.origin, partial(sealing._front, STAMP), limit)
    assert [tuple(one) for one in native.pack(*told)] == [tuple(one) for one in sealing.python_pack(*told)]
