"""Whatever the native cutter is certain of is exactly what Python reads; it is certain of what is valid."""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import python_writer
from services.chassis.wire import frame
from services.disclosure.contracts.batch_reader import BatchReader
from services.disclosure.contracts.plan import plan
from services.disclosure.contracts.program import TABLE_VERSION, compile_program
from services.disclosure.contracts.records import _FIELDS, LINKED, RecordReader
from services.disclosure.contracts.reference import Catalogue
from services.disclosure.domain.edition import Edition
from services.disclosure.domain.events import FieldRule
from services.disclosure.domain.inputs import RecordSeen
from services.disclosure.native import load
from tests.properties.disclosure.test_showing import NAMES, body_of, schema_of, submissions
from tests.support.damage import damaged
from tests.support.local_schemas import LocalSchemas
from tests.support.sanitized import SANITIZED, sanitized

native: Any = sanitized("_cutter") if SANITIZED else load({}, TABLE_VERSION)[0]
if native is None:
    pytest.skip("native cutter: not built, or stale", allow_module_level=True)

DAMAGED = int(os.environ.get("DAMAGED", "20000"))
NOW = Moment(1_511_503_200_000)
SCHEMA, ITEM = 700, "org-permit"
write = python_writer(list(_FIELDS.values()))
HEAD: dict[str, Any] = {
    "subject_id": b"S" * 16,
    "link_rule": "USCC",
    "linked_at": NOW.now_ms - 5,
    "record_id": b"R" * 16,
    "version": 1,
    "item": ITEM,
    "item_version": 1,
    "item_class": "permit",
    "disclosure": "public",
    "action": "report",
    "agency": "420000-hbt",
    "submission_id": "s-1",
    "accepted_at": NOW.now_ms - 9,
    "due_on": 17_500,
}


class Both:
    """Python and the extension beside each other, over one catalogue and the same schemas."""

    def __init__(self, schema: Any, edition: Edition) -> None:
        self.schemas, self.catalogue = LocalSchemas(), Catalogue()
        self.schemas.know(SCHEMA, schema)
        self.catalogue.fill(1, {ITEM: [edition]})
        self.python = RecordReader(self.schemas, self.catalogue)
        self.native = BatchReader(native, self.schemas, self.catalogue)

    def message(self, submission: bytes, **head: Any) -> Message:
        """A linked record of these bytes."""
        value = frame(self.schemas.schema_id(LINKED), write(*(HEAD | head).values(), submission))
        return Message(LINKED, 0, 0, b"S" * 16, value, (), 0)

    def agree(self, messages: Sequence[Message]) -> int:
        """Of how many the extension is certain; each of them has to be what Python reads."""
        answers = self.native.read_many(messages, NOW)
        for message, answer in zip(messages, answers, strict=True):
            if answer is not None:
                linked = self.python.read(message, NOW)
                assert exactly(answer) == exactly(self.python.complete(linked))
        return sum(answer is not None for answer in answers)


def exactly(seen: RecordSeen) -> list[Any]:
    """All that can be told apart: values, their types, and the bytes of the fields."""
    assert type(seen) is RecordSeen
    assert seen.shown is not None
    fields: Any = seen.shown.fields
    parts = [*seen._replace(shown=None), *seen.shown[:-1]]
    return [*((type(part), part) for part in parts), type(fields), fields.encoded]


Drawn = tuple[Any, dict[str, Any], Edition, bool]
texts = st.text(max_size=9) | st.sampled_from([" a", "a\u3000", "a\0b", "x" * 129, "\x1f", "é", "甲乙", "\ufeff甲"])


def submitted(drawn: Drawn, **envelope: Any) -> bytes:
    schema, record, _, person = drawn
    kind = {"subject_kind": "person" if person else "org"}
    return frame(SCHEMA, body_of(schema, record | kind | envelope))


@given(submissions(), st.sampled_from(["public", "government"]), st.sampled_from(["report", "correct"]))
def test_what_it_is_certain_of_is_what_python_reads(drawn: Drawn, disclosure: str, action: str) -> None:
    both = Both(drawn[0], drawn[2])
    plain = {"subject_code": "91420100MA4KLM0N5H", "subject_code_kind": "uscc", "subject_name": "演示甲有限公司"}
    for kind in ("person", "org"):
        submission = submitted(drawn, subject_kind=kind, **plain)
        assert both.agree([both.message(submission, disclosure=disclosure, action=action)] * 2) == 2


@settings(max_examples=300)
@given(submissions(), st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, texts)), st.data())
def test_texts_of_all_kinds(drawn: Drawn, envelope: dict[str, str], data: st.DataObject) -> None:
    both = Both(drawn[0], drawn[2])
    kind = data.draw(st.sampled_from(["uscc", "org_code", "reg_no", "tax_no", "resident_id", ""]))
    submission = submitted(drawn, **({"subject_code_kind": kind} | envelope))
    said = st.fixed_dictionaries({}, optional={name: texts for name, is_a in _FIELDS.items() if is_a == "string"})
    both.agree([both.message(submission, **data.draw(said)), both.message(submission)])


@settings(max_examples=300)
@given(st.text(max_size=130), st.text(max_size=210), st.text(max_size=130), st.sampled_from(["uscc", "passport"]))
def test_what_a_subject_is_called(code: str, name: str, agency: str, kind: str) -> None:
    called = {"subject_code_kind": kind, "subject_code": code, "subject_name": name}
    BOTH.agree([BOTH.message(sent(**called), agency=agency, submission_id=name), BOTH.message(sent(**called))])


@pytest.mark.parametrize(
    ("name", "most"), [("subject_name", 200), ("subject_code", 128), ("agency", 128), ("submission_id", 128)]
)
def test_what_is_too_long_is_left_to_python(name: str, most: int) -> None:
    for size, certain in ((most, 1), (most + 1, 0)):
        text = ("A" if name == "subject_code" else "甲") * size
        envelope = {"subject_code_kind": "uscc", "subject_code": "A"} | {name: text}
        head = {name: text} if name in HEAD else {}
        assert BOTH.agree([BOTH.message(sent(**envelope), **head)]) == certain


FIELDS = [("A", "string"), ("B", ["null", {"type": "int", "logicalType": "date"}]), ("C", "long"), ("D", "boolean")]
FIELDS += [("E", ["null", "string"]), ("F", "double"), ("G", ["null", "bytes"]), ("H", ["null", "float"])]
RULES = tuple(FieldRule(code, code == "A") for code in "ABCDE")
SCHEMA_OF_ALL = schema_of(FIELDS)
BOTH = Both(SCHEMA_OF_ALL, Edition(1, RULES))
PAYLOAD = {
    "A": "演示",
    "B": date(2017, 9, 28),
    "C": 2**40,
    "D": True,
    "E": "行政许可",
    "F": 0.5,
    "G": b"x" * 70,
    "H": None,
}


def sent(payload: Mapping[str, Any] = PAYLOAD, **envelope: Any) -> bytes:
    """A framed submission that has everything in it."""
    record: dict[str, Any] = dict.fromkeys(NAMES, "演示") | {"subject_kind": "org", "decided_on": date(2017, 9, 28)}
    return frame(SCHEMA, body_of(SCHEMA_OF_ALL, {**record, **envelope, "payload": payload}))


def test_it_is_certain_of_what_is_valid_and_of_nothing_that_is_not_shown() -> None:
    """Withdrawals, and what nobody may have, are few: Python has them."""
    whole = sent()
    assert BOTH.agree([BOTH.message(whole)] * 3) == 3
    left = [{"action": "withdraw"}, {"action": "x"}, {"disclosure": "authorised"}, {"item_version": 2}, {"item": "x"}]
    for head in left:
        assert BOTH.agree([BOTH.message(whole, **head), BOTH.message(whole)]) == 1


@pytest.mark.parametrize("person", [True, False])
def test_every_day_there_is_and_no_other(person: bool) -> None:
    days = [
        date.min,
        date(1, 3, 1),
        date(1600, 2, 29),
        date(1900, 2, 28),
        date(1900, 3, 1),
        date(1969, 12, 31),
        date.max,
    ]
    days += [date(1999, 12, 30) + timedelta(n) for n in range(800)]
    messages = [
        BOTH.message(sent(PAYLOAD | {"B": day}, decided_on=day, subject_kind="person" if person else "org"))
        for day in days
    ]
    assert BOTH.agree(messages) == len(days)
    early, late = (
        date.min.toordinal() - date(1970, 1, 1).toordinal(),
        date.max.toordinal() - date(1970, 1, 1).toordinal(),
    )
    for beyond in (early - 1, late + 1, -(2**31), 2**31 - 1):
        shown, decided = sent(PAYLOAD | {"B": beyond}), sent(decided_on=beyond)
        assert BOTH.agree([BOTH.message(shown), BOTH.message(decided)]) == 0
        for submission in (shown, decided):
            with pytest.raises(Unhandleable, match="NO_SUCH_DAY"):
                BOTH.python.complete(BOTH.python.read(BOTH.message(submission), NOW))


# --- what it knows of a sort -----------------------------------------------------------------------------------------


def test_a_new_revision_of_the_catalogue_is_seen() -> None:
    both = Both(SCHEMA_OF_ALL, Edition(1, RULES))
    message = both.message(sent())
    assert both.agree([message]) == 1
    both.catalogue.fill(2, {ITEM: [Edition(1, RULES[2:3])]})
    assert both.agree([message]) == 1
    shown: Any = both.native.read_many([message], NOW)[0]
    assert shown.shown.fields == {"C": str(2**40)}
    both.catalogue.fill(3, {})
    assert both.agree([message]) == 0


def test_a_schema_that_comes_later_is_asked_for_again() -> None:
    both = Both(SCHEMA_OF_ALL, Edition(1, RULES))
    known = both.schemas._parsed.pop(SCHEMA)
    message = both.message(sent())
    assert both.agree([message]) == 0
    both.schemas.know(SCHEMA, known)
    assert both.agree([message]) == 1


def test_a_sort_that_no_table_is_made_for_is_asked_for_once() -> None:
    unknown = schema_of([("A", {"type": "bytes", "logicalType": "decimal", "precision": 9})])
    both = Both(unknown, Edition(1, RULES))
    assert both.agree([both.message(sent())] * 3) == 0
    assert list(both.native._sorts.values()) == [None]


def test_another_order_of_the_envelope_has_no_table() -> None:
    first, *rest = SCHEMA_OF_ALL["fields"]
    moved: list[Any] = [SCHEMA_OF_ALL | {"fields": [*rest[:8], first, *rest[8:]]}, SCHEMA_OF_ALL | {"fields": rest}]
    moved += [SCHEMA_OF_ALL | {"fields": [{"name": "n", "type": "long"}, first, *rest]}]
    for schema in moved:
        steps = plan(schema, Edition(1, RULES), False)
        assert steps is not None
        assert compile_program(steps) is None


# --- damage ----------------------------------------------------------------------------------------------------------


def damaged_messages(chance: random.Random, count: int) -> Iterator[Message]:
    """The message as a whole, or the submission in it alone."""
    kinds = [dict.fromkeys(["E", "B"]) | {"A": "a"}, {"A": "é" * 90}, {"C": -1}, {"D": False}]
    good = [sent(PAYLOAD | kind, subject_kind=who) for kind in kinds for who in ("org", "person")]
    for _ in range(count):
        submission = chance.choice(good)
        if chance.random() < 0.5:
            yield BOTH.message(damaged(submission, chance))
        else:
            message = BOTH.message(submission)
            yield message._replace(value=damaged(message.value or b"", chance))


def test_damaged_messages_are_never_taken_for_what_they_are_not() -> None:
    chance = random.Random(DAMAGED)
    certain = sum(BOTH.agree(list(damaged_messages(chance, 1000))) for _ in range(DAMAGED // 1000))
    assert 0 < certain < DAMAGED


@settings(max_examples=300)
@given(st.binary(max_size=80), st.sampled_from([b"", frame(BOTH.schemas.schema_id(LINKED), b"")]))
def test_random_bytes(value: bytes, head: bytes) -> None:
    assert BOTH.agree([BOTH.message(b"")._replace(value=head + value), BOTH.message(value)]) == 0


def test_a_table_that_is_damaged_is_no_way_out_of_bounds() -> None:
    """It comes from our own compiler; but a bound that only holds for good tables is none."""
    chance, messages = random.Random(7), [BOTH.message(sent(subject_kind=kind)) for kind in ("org", "person")]
    BOTH.native.read_many(messages, NOW)
    context = BOTH.native._context
    sorts: dict[bytes, Any] = {key: sort for key, sort in BOTH.native._sorts.items() if sort}
    assert len(sorts) > 1
    for _ in range(max(3000, DAMAGED // 10)):
        broken = {key: (damaged(sort[0], chance), *sort[1:]) for key, sort in sorts.items()}
        native.read_many((*context[:6], broken, *context[7:]), messages, NOW.now_ms)


# --- the other side of the door --------------------------------------------------------------------------------------


def test_what_is_no_message_is_not_certain() -> None:
    good = BOTH.message(sent())
    strange: list[Any] = [None, (), tuple(good)[:6], good._replace(value=None)]
    strange += [good._replace(value=bytearray(good.value or b"")), good._replace(value=b"")]
    assert BOTH.native.read_many(strange, NOW) == [None] * len(strange)
    assert BOTH.native.read_many([*strange, good], NOW)[-1] is not None


def test_a_broken_context_is_refused_and_what_python_raises_comes_through() -> None:
    messages = [BOTH.message(sent())]
    BOTH.native.read_many(messages, NOW)
    context = (*BOTH.native._context[:6], {}, *BOTH.native._context[7:])
    assert native.read_many(context, messages, NOW.now_ms) == BOTH.native.read_many(messages, NOW)
    for i in range(len(context)):
        nothing: Any = None
        with pytest.raises(TypeError):
            native.read_many((*context[:i], nothing, *context[i + 1 :]), messages, NOW.now_ms)
    for i, wrong in (
        (0, dict),
        (1, dict),
        (4, (5,)),
        (5, (5,)),
        (6, {}),
        (6, dict.fromkeys(BOTH.native._sorts, (b"", 1))),
    ):
        with pytest.raises(TypeError):
            native.read_many((*context[:i], wrong, *context[i + 1 : 7], len, *context[8:]), messages, NOW.now_ms)
    with pytest.raises(TypeError):
        native.read_many(context[:-1], messages, NOW.now_ms)

    def fails(key: bytes) -> None:
        raise LookupError(key)

    with pytest.raises(LookupError):
        native.read_many((*context[:6], {}, fails, *context[8:]), messages, NOW.now_ms)


def test_nothing_is_kept_and_nothing_released_twice() -> None:
    chance = random.Random(1)
    messages = [BOTH.message(sent(subject_kind=kind)) for kind in ("org", "person") for _ in range(100)]
    messages += [BOTH.message(sent(subject_name="演示 ")) for _ in range(100)]  # given up when most is made
    messages += damaged_messages(chance, 300)
    BOTH.native.read_many(messages, NOW)
    context = BOTH.native._context
    sorts = [part for sort in BOTH.native._sorts.values() for part in sort or ()]
    watched = [*context, *messages, None, *(part for m in messages for part in m), *BOTH.native._sorts.values(), *sorts]
    watched = [thing for thing in watched if not (isinstance(thing, int) and thing <= 256)]  # everybody holds those

    def counts() -> tuple[list[int], int]:
        gc.collect()
        blocks = sys.getallocatedblocks()  # before the list, which takes some itself
        return [sys.getrefcount(thing) for thing in watched], blocks

    before, blocks = counts()
    for _ in range(50):
        BOTH.native.read_many(messages, NOW)
    after, still = counts()
    moved = [(str(type(t)), a - b) for t, a, b in zip(watched, after, before, strict=True) if abs(a - b) > 20]
    assert moved == []
    assert still - blocks < 3000  # the first list of counts; one object kept per message would be 25,000


def test_memory_that_runs_out_leaves_nothing_behind() -> None:
    testcapi: Any = pytest.importorskip("_testcapi")
    messages = [
        BOTH.message(sent(subject_kind=kind, subject_code_kind="uscc", subject_code="A")) for kind in ("org", "person")
    ]
    expected, refused = BOTH.native.read_many(messages, NOW), 0
    context = BOTH.native._context
    for start in range(1, 200):
        try:
            testcapi.set_nomemory(start, start + 1)
            try:
                read = native.read_many(context, messages, NOW.now_ms)
            finally:
                testcapi.remove_mem_hooks()
        except MemoryError:
            refused += 1
        else:
            assert read == expected
    assert refused > 20
