"""Whatever the native reader is certain of is exactly what Python reads; it is certain of nearly all that is valid."""

from __future__ import annotations

import gc
import os
import random
import sys
from datetime import date
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.chassis.message import Moment
from services.ingestion.contracts.batch_reader import BatchReader
from services.ingestion.contracts.register import Register
from services.ingestion.domain.definition import parse
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from services.ingestion.domain.wishes import canonical
from services.kernel import registration_number, uscc
from tests.properties.ingestion.native import Both, extension
from tests.properties.ingestion.strategies import broken_value, of_persons, submissions
from tests.properties.ingestion.valid import valid
from tests.support.damage import damaged
from tests.unit.ingestion import samples
from tests.unit.ingestion import test_odd_items as odd

NATIVE = extension()
BOTH = Both(NATIVE)
DAMAGED = int(os.environ.get("DAMAGED", "20000"))
DAY_MS = 86_400_000
MAIN = ("org-permit", "org-penalty", "enterprise-registration")


@settings(max_examples=500, deadline=None)
@given(
    submissions(),
    st.sampled_from(["report", "report", "correct", "withdraw", "retract", ""]),
    st.sampled_from(["r-1", "", " r", "记录", "r\n", "r" * 101]),
    st.integers(-2, 2),
    st.integers(-2, 2) | st.just(-(10**13)),
    st.text(max_size=3),
)
def test_certain_answers_are_those_of_python(
    submission: dict[str, Any], action: str, record_no: str, days: int, milliseconds: int, unit: str
) -> None:
    submission |= {"action": action, "record_no": record_no, "source_unit": unit}
    sent = samples.sent(submission)
    BOTH.agree([sent, sent._replace(key=b"r-2"), sent._replace(topic="credit.submit.420000-zzz.v1")])
    edge = (submission["decided_on"] - date(1970, 1, 1)).days * DAY_MS - 8 * 3_600_000
    produced = int(submission["produced_at"].timestamp() * 1000) - 600_000
    for now in (edge + days * DAY_MS, edge + milliseconds, produced + milliseconds):
        BOTH.agree([sent, sent._replace(timestamp_ms=milliseconds)], Moment(max(now, 0)))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["subject_name", "subject_code", "subject_code_kind", "subject_kind", "agency", "item"]),
    st.sampled_from(["org", "sole_trader", "person", "uscc", "org_code", "reg_no", "resident_id", "420000-hbt"])
    | st.sampled_from(["MA4KLM0N5", "420100000000014", "420106190003070015", "00000000000000000X", "PDY00001X"])
    | st.sampled_from([samples.USCC.lower(), "91420100MA4KLM0N5A", "91420100MA4KLM0N6X", "0" * 18, "0" * 15])
    | st.text(max_size=30),
    st.sampled_from(["uscc", "org_code", "reg_no"]),
)
def test_the_envelope_too(name: str, value: str, kind: str) -> None:
    submission = samples.record("enterprise-registration", subject_code_kind=kind) | {name: value}
    BOTH.agree([samples.sent(submission, "enterprise-registration")])


@settings(max_examples=150, deadline=None)
@given(of_persons())
def test_of_a_person_it_is_certain_of_nothing(submission: dict[str, Any]) -> None:
    """What is said of one is sealed first, and looked through for what the law keeps out: only Python does."""
    assert BOTH.agree([samples.sent(submission)]) == 0


def test_an_item_that_keeps_something_out_is_read_in_python_alone() -> None:
    rule = {"fields": ["a"], "words": ["甲"], "zh": "演示", "en": "demo", "document": "演示条例", "article": "第一条"}
    kept_out = {"not_collected": [rule | {"verification": "unverified"}]}
    for entries, certain in (({}, 1), (kept_out, 0)):
        known = odd.register(odd.field("a"), **entries)
        both, message = Both(NATIVE, known), odd.message(known, {"a": "甲乙"})
        assert both.agree([message]) == certain
        told = both.python.read(message, samples.NOW).faults
        assert [fault.code for fault in told] == ([] if certain else ["NOT_COLLECTED"])


@pytest.mark.parametrize("first", uscc.ALPHABET)
def test_a_code_is_certain_only_if_its_department_and_kind_of_body_are_listed(first: str) -> None:
    for second in uscc.ALPHABET:
        code = uscc.complete(f"{first}{second}420100MA4KLM0N5")
        sent = samples.sent(samples.record("enterprise-registration", subject_code=code), "enterprise-registration")
        assert BOTH.agree([sent]) == (first + second in uscc.KINDS), code


# --- odd and invented items -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", odd.ODD)
def test_an_odd_item(case: str) -> None:
    fields, payload, faults = odd.ODD[case]
    known = odd.register(*fields)
    certain = Both(NATIVE, known).agree([odd.message(known, payload)])
    assert certain == (not faults)


NAMES = ["a", "b", "c", "old_kind"]
OTHERS = st.sampled_from([*NAMES, "subject_kind", "subject_code_kind", "subject_code", "subject_name", "decided_on"])
FORMATS = st.sampled_from(["", "", "uscc", "capital", "old_code", "commitment_no"])
CONDITIONS = st.builds(
    "conditional:{}{}".format, OTHERS, st.sampled_from(["", "=甲|乙", "=org", "~甲|b", "=1", "~1", "=uscc"])
)
FIELD = st.fixed_dictionaries(
    {
        "name_zh": st.just("演示"),
        "name_en": st.just("demo"),
        "type": st.sampled_from(["string", "string", "string", "date", "money_fen", "decimal", "int", "bool"]),
        "required": st.sampled_from(["mandatory", "optional"]) | CONDITIONS,
        "max_length": st.integers(1, 30),
        "code_list": st.just([]) | st.lists(st.sampled_from(["甲", "乙", "其他*", "*", "a", "reg_no"]), max_size=3),
        "separator": st.sampled_from(["", "", ";", "；", ";;"]),
        "format": FORMATS,
        "same_as": st.just("") | OTHERS,
        "not_before": st.just("") | OTHERS,
        "minimum": st.integers(-5, 5),
        "maximum": st.integers(0, 10**15),
    }
)
FIELDS = st.lists(FIELD, min_size=1, max_size=4).map(
    lambda fields: [field | {"code": NAMES[i]} for i, field in enumerate(fields)]
)
VALUES = st.sampled_from(["甲", "乙;甲", "乙；甲", "其他（演示）", "reg_no", "tax_no", "420100000000014", "b", "1"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FIELDS, st.data())
def test_invented_items(fields: list[dict[str, Any]], data: st.DataObject) -> None:
    """Any item the definition's checks let pass, with values that may be right."""
    definition = samples.old_form(odd.ITEM) | {"fields": fields}
    item, _ = parse(definition)
    assume(item is not None)
    known = odd.register(*fields)
    messages = []
    for _ in range(4):
        payload = {}
        for field in item.fields:  # type: ignore[union-attr] # assumed above
            value = broken_value(field) | (VALUES if field.type == "string" else broken_value(field))
            payload[field.code] = data.draw(value)
        messages.append(odd.message(known, payload))
    Both(NATIVE, known).agree(messages)


REG_NO = "42010000000001"
SEEDS: dict[str, tuple[dict[str, Any], list[str]]] = {  # what a field asks, and values right or nearly so
    "uscc": ({"format": "uscc"}, [samples.USCC, "0" * 17 + "X", "0" * 18]),
    "org_code": ({"format": "old_code"}, ["MA4KLM0N5", "PDY00001X", "000000000"]),
    "reg_no": ({"format": "old_code"}, [REG_NO + registration_number.check_digit(REG_NO), "0" * 15]),
    "tax_no": ({"format": "old_code"}, ["420100ABCDEFGHJ", "42010000000000000X"]),
    "capital": ({"format": "capital"}, ["2,000(万元)", "50万元人民币", "1,234,567.5（万美元）", "99999999999万"]),
    "commitment_no": ({"format": "commitment_no"}, ["42010020170928000001", "42010019991231999999"]),
    "decimal": ({"type": "decimal"}, ["0.2", "0", "123456789012.123456", "10"]),
    "identity": ({}, ["420106190003070015", "甲420106190003070015。", "42010619000307001X", "４20106190003070015"]),
    "text": ({"max_length": 20}, ["甲乙丙丁", "a\u00a0b", "\u201c演示\u201d", "\U00020000\ud7fb\ufffd\u3000x"]),
}


def nearly(text: str, chance: random.Random) -> str:
    """The text with up to two characters changed, put in or left out."""
    for _ in range(chance.randint(0, 2)):
        at = chance.randrange(len(text) + 1)
        new = chance.choice("0123456789ABCDEFGHJKLMNPQRTUWXYx.,;()（）万元 ０Ｘ\u3000\ufeff\x7f\t\x85é")
        text = text[:at] + chance.choice(["", new]) + text[at + chance.randint(0, 1) :]
    return text


@pytest.mark.parametrize("kind", SEEDS)
def test_values_that_are_nearly_right(kind: str) -> None:
    """Check digits, dates and groups of digits, where one character decides."""
    asked, seeds = SEEDS[kind]
    chance, known = random.Random(kind), odd.register(odd.field("old_kind"), odd.field("a", **asked))
    values = {nearly(chance.choice(seeds), chance) for _ in range(4000)}
    messages = [odd.message(known, {"old_kind": kind, "a": value}) for value in sorted(values)]
    assert 0 < Both(NATIVE, known).agree(messages) < len(messages)


@pytest.mark.parametrize("kind", ["uscc", "org_code", "reg_no"])
def test_subjects_that_are_nearly_right(kind: str) -> None:
    chance, known = random.Random(kind), odd.register(odd.field("a"))
    codes = {nearly(chance.choice(SEEDS[kind][1]), chance) for _ in range(1500)}
    changes = [{"subject_code_kind": kind, "subject_code": code} for code in sorted(codes)]
    messages = [odd.message(known, {"a": "甲"}, **change) for change in changes]
    assert 0 < Both(NATIVE, known).agree(messages) < len(messages)


# --- certain of what is valid ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", sorted(samples.ITEMS))
def test_it_is_certain_of_what_is_valid(item: str) -> None:
    chance = random.Random(item)
    messages = [samples.sent(valid(item, i, chance)) for i in range(400)]
    told = [BOTH.python.read(message, samples.NOW) for message in messages]
    right = [m for m, answer in zip(messages, told, strict=True) if not answer.faults and not answer.notes]
    assert len(right) > 380
    certain = BOTH.agree(right)
    assert certain >= (0.99 if item in MAIN else 0.95) * len(right)


# --- damage ----------------------------------------------------------------------------------------------------------


def test_damaged_messages_are_never_taken_for_what_they_are_not() -> None:
    chance = random.Random(DAMAGED)
    good = [samples.sent(valid(item, i, chance)) for i in range(3) for item in sorted(samples.ITEMS)]
    for _ in range(DAMAGED // 1000):
        batch = []
        for message in chance.choices(good, k=1000):
            value = damaged(message.value or b"", chance)
            batch.append(message._replace(value=damaged(value, chance) if chance.random() < 0.2 else value))
        BOTH.agree(batch)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=12), st.sampled_from([b"", b"\x00\x00\x00\x00\x64"]))
def test_random_bytes(value: bytes, key: bytes, head: bytes) -> None:
    assert BOTH.agree([samples.message(head + value, key=key)]) == 0


def test_a_table_that_is_damaged_is_no_way_out_of_bounds() -> None:
    """It comes from our own compiler; but a bound that only holds for good tables is none."""
    chance = random.Random(7)
    reader = BatchReader(NATIVE, BOTH.native._register, BOTH.speaker, 0)
    reader.read_many([], samples.NOW)
    messages = [samples.sent(samples.record(item)) for item in sorted(samples.ITEMS)]
    for _ in range(max(3000, DAMAGED // 10)):
        context = list(reader._context)
        context[3] = {i: (damaged(known[0], chance), *known[1:]) for i, known in context[3].items()}
        try:
            NATIVE.read_many(tuple(context), messages, samples.NOW.now_ms, 20_000, samples.NOW.now_ms)
        except ValueError:
            continue  # not a table at all


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 255, 256, 257, 1000])
def test_blake2b_is_blake2b(size: int) -> None:
    data = random.Random(size).randbytes(size)
    for length in (1, 8, 16, 64):
        assert NATIVE.digest(data, length) == blake2b(data, digest_size=length).digest()


# --- the other side of the door --------------------------------------------------------------------------------------


def test_what_is_no_message_is_not_certain() -> None:
    good = samples.sent(samples.record())
    strange: list[Any] = [
        None,
        (),
        tuple(good)[:6],
        good._replace(value=None),
        good._replace(value=bytearray(good.value or b"")),
        good._replace(key="r-1"),
        good._replace(topic=b"x"),
        good._replace(partition=[]),
        good._replace(timestamp_ms=2**80),
        good._replace(timestamp_ms=None),
    ]
    assert BOTH.native.read_many(strange, samples.NOW) == [None] * len(strange)
    assert BOTH.native.read_many([*strange, good], samples.NOW)[-1] is not None


def test_a_broken_context_is_refused_and_what_python_raises_comes_through() -> None:
    reader = BatchReader(NATIVE, BOTH.native._register, BOTH.speaker, 0)
    reader.read_many([], samples.NOW)
    context, messages = reader._context, [samples.sent(samples.record())]
    arguments = (messages, samples.NOW.now_ms, 20_000, samples.NOW.now_ms)
    for i in range(len(context)):
        with pytest.raises(TypeError):
            NATIVE.read_many((*context[:i], 5, *context[i + 1 :]), *arguments)
    for kind in (0, 1, 2):
        with pytest.raises(TypeError):
            NATIVE.read_many((*context[:kind], dict, *context[kind + 1 :]), *arguments)
    with pytest.raises(TypeError):
        NATIVE.read_many(context[:-1], *arguments)
    editions = {i: (*known[:5], {}, int.from_bytes) for i, known in context[3].items()}
    with pytest.raises(TypeError):
        NATIVE.read_many((*context[:3], editions, *context[4:]), *arguments)


def test_due_dates_follow_the_calendar_and_one_with_a_note_is_left_to_python() -> None:
    beyond = samples.record("org-permit", decided_on=date(2300, 1, 1), payload_changes={"XK_JDRQ": date(2300, 1, 1)})
    later = Moment(samples.NOW.now_ms + 300 * 366 * DAY_MS)
    for _ in range(2):  # asked, then remembered
        assert BOTH.agree([samples.sent(beyond)], later) == 0
        assert BOTH.agree([samples.sent(samples.record("org-permit"))], later) == 1


def test_a_new_revision_of_the_register_is_seen() -> None:
    known = Register()
    rows = [EditionRow(i, 1, canonical(samples.SHIPPED[i].definition), samples.SCHEMA_IDS[i]) for i in MAIN]
    both, sent = Both(NATIVE, known), samples.sent(samples.record("org-permit"))
    assert both.agree([sent]) == 0
    known.fill(Reference(1, (AgencyRow("420000-hbt", MAIN),), tuple(rows)))
    assert both.agree([sent]) == 1
    known.fill(Reference(2, (AgencyRow("420000-hbt", ("org-penalty",)),), tuple(rows)))
    assert both.agree([sent]) == 0


def test_nothing_is_kept_and_nothing_released_twice() -> None:
    chance = random.Random(1)
    messages = [samples.sent(valid(item, i, chance)) for i in range(4) for item in sorted(samples.ITEMS)]
    messages += [m._replace(value=(m.value or b"")[:-1]) for m in messages]
    BOTH.native.read_many(messages, samples.NOW)
    context = BOTH.native._context
    watched = [*context, *messages, None, *(part for m in messages for part in m), *context[3].values()]
    watched += [day for known in context[3].values() for day in known[5].values()]
    watched = [thing for thing in watched if not (isinstance(thing, int) and thing <= 256)]  # everybody holds those

    def counts() -> tuple[list[int], int]:
        gc.collect()
        blocks = sys.getallocatedblocks()  # before the list, which takes some itself
        return [sys.getrefcount(thing) for thing in watched], blocks

    before, blocks = counts()
    for _ in range(50):
        BOTH.native.read_many(messages, samples.NOW)
    after, still = counts()
    moved = [(str(type(t)), a - b) for t, a, b in zip(watched, after, before, strict=True) if abs(a - b) > 20]
    assert moved == []
    assert still - blocks < 3000  # the first list of counts; one object kept per message would be 12,000


def test_memory_that_runs_out_leaves_nothing_behind() -> None:
    testcapi: Any = pytest.importorskip("_testcapi")
    messages = [samples.sent(samples.record(item)) for item in sorted(samples.ITEMS)]
    expected, refused = BOTH.native.read_many(messages, samples.NOW), 0
    arguments = (BOTH.native._context, messages, samples.NOW.now_ms, 30_000, samples.NOW.now_ms)
    for start in range(1, 400):
        try:
            testcapi.set_nomemory(start, start + 1)
            try:
                read = NATIVE.read_many(*arguments)
            finally:
                testcapi.remove_mem_hooks()
        except MemoryError:
            refused += 1
        else:
            assert read == expected
    assert refused > 100
