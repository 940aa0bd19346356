"""The rules of an item edition as a table of bytes, which the native reader runs over each submission.

It says what `compile_fast_path` says in Python, and the envelope's rules beside it: what passes is certainly valid.
Layout, little-endian: slots u8, one shape u8 per slot, then rules: operation u8, slot u8, size of body u16, body; a
string in a body is its length u16 and its UTF-8. `native/program.c` is the other side; `TABLE_VERSION` ties them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum

from services.ingestion.domain.definition import ENVELOPE_NAMES, Field, Item
from services.ingestion.domain.envelope import FIRST_PRODUCED_MS, LIMITS
from services.ingestion.domain.formats import COMPANIONS
from services.ingestion.domain.submission import Envelope
from services.ingestion.domain.terms import ACTIONS, CODE_KINDS
from services.ingestion.domain.validators import FIRST_DAY, LAST_DAY
from services.kernel.money import CURRENCIES

TABLE_VERSION = 3
MOST_SLOTS = 128
MOST_BODY = 0xFFFF
NO_SLOT = 0xFF
LARGEST = 2**63 - 1
OPTIONAL = 0x80
LINE_ENDS, MAY_BE_BLANK, NO_IDENTITY_NUMBER = 1, 2, 4


class Shape(IntEnum):
    """How a slot is written."""

    TEXT = 0
    NUMBER = 1
    BOOL = 2


class Op(IntEnum):
    """What a rule asks of its slot."""

    TEXT = 1
    DECIMAL = 2
    RANGE = 3
    NOT_BEFORE = 4
    SAME = 5
    SAME_IF_USCC = 6
    LISTED = 7
    USCC = 8
    CAPITAL = 9
    OLD_CODE = 10
    COMMITMENT_NO = 11
    REQUIRED_WHEN = 12
    SUBJECT = 13


SHAPES = {"string": Shape.TEXT, "decimal": Shape.TEXT, "bool": Shape.BOOL}  # the others are numbers
WHEN = {"": 0, "=": 1, "~": 2}
FORMATS = {"uscc": Op.USCC, "commitment_no": Op.COMMITMENT_NO, "capital": Op.CAPITAL, "old_code": Op.OLD_CODE}
Rule = tuple[Op, int, bytes]  # operation, slot, body


def compile_program(item: Item) -> bytes | None:
    """The table of an edition; None for one that Python alone will read: it does not fit, or keeps something out."""
    if item.not_collected:
        return None
    shapes = [Shape.TEXT] * 10 + [Shape.NUMBER] * 2 + [_shape(field) for field in item.fields]
    slots = {name: i for i, name in enumerate(Envelope._fields) if name in ENVELOPE_NAMES}
    slots |= {field.code: len(Envelope._fields) + i for i, field in enumerate(item.fields)}
    rules = [*_envelope_rules(item), *(rule for field in item.fields for rule in _rules(field, slots))]
    if len(shapes) > MOST_SLOTS or any(len(body) > MOST_BODY for _, _, body in rules):
        return None
    return bytes([len(shapes), *shapes]) + b"".join(struct.pack("<BBH", op, at, len(b)) + b for op, at, b in rules)


def _shape(field: Field) -> int:
    return SHAPES.get(field.type, Shape.NUMBER) | (0 if field.required == "mandatory" else OPTIONAL)


def _envelope_rules(item: Item) -> Iterator[Rule]:
    """All but those that depend on the sender and the clock."""
    slot = Envelope._fields.index
    yield Op.LISTED, slot("item"), _listed((item.code,), exact=True)
    yield Op.LISTED, slot("action"), _listed(ACTIONS)
    for name, (low, high) in LIMITS.items():
        yield Op.TEXT, slot(name), struct.pack("<IB", high, 0 if low else MAY_BE_BLANK)
    yield Op.RANGE, slot("decided_on"), struct.pack("<qq", FIRST_DAY, LARGEST)
    yield Op.RANGE, slot("produced_at"), struct.pack("<qq", FIRST_PRODUCED_MS, LARGEST)
    # Of a person nothing is certain here: what is said of one is sealed first, which only Python does.
    kinds = [kind for kind in item.subject_kinds if kind != "person"]
    pairs = [(kind, code_kind) for kind in kinds for code_kind in CODE_KINDS[kind]]
    yield Op.SUBJECT, slot("subject_code"), b"".join(_string(text) for pair in pairs for text in pair)


def _rules(field: Field, slots: dict[str, int]) -> Iterator[Rule]:
    at = slots[field.code]
    if field.condition is not None:
        other = slots.get(field.condition.name, NO_SLOT)
        words = b"".join(map(_string, field.condition.values))
        yield Op.REQUIRED_WHEN, at, bytes([other, WHEN[field.condition.operator]]) + words
    if field.type == "string":
        yield from _text_rules(field, at, slots)
    elif field.type == "decimal":
        yield Op.DECIMAL, at, b""
    elif field.type != "bool":
        low, high = (FIRST_DAY, LAST_DAY) if field.type == "date" else (field.minimum, field.maximum)
        yield Op.RANGE, at, struct.pack("<qq", low, high)
    if field.same_as:
        op = Op.SAME_IF_USCC if field.same_as == "subject_code" else Op.SAME
        yield op, at, bytes([slots.get(field.same_as, NO_SLOT)])
    if field.not_before and field.type == "date":
        yield Op.NOT_BEFORE, at, bytes([slots.get(field.not_before, NO_SLOT)])


def _text_rules(field: Field, at: int, slots: dict[str, int]) -> Iterator[Rule]:
    yield Op.TEXT, at, struct.pack("<IB", field.max_length, LINE_ENDS | NO_IDENTITY_NUMBER)
    if field.code_list:
        yield Op.LISTED, at, _listed(field.code_list, field.separator)
    if field.format:
        body = _entries(CURRENCIES) if field.format == "capital" else b""
        if field.format in COMPANIONS:
            body = bytes([slots.get(COMPANIONS[field.format], NO_SLOT)])
        yield FORMATS[field.format], at, body


def _listed(entries: Iterable[str], separator: str = "", exact: bool = False) -> bytes:
    return _string(separator) + _entries(entries, exact)


def _entries(entries: Iterable[str], exact: bool = False) -> bytes:
    """Each with a flag: whether it takes any continuation, which `*` at its end says."""
    opened = [(not exact and entry.endswith("*"), entry) for entry in entries]
    return b"".join(bytes([open_]) + _string(entry[:-1] if open_ else entry) for open_, entry in opened)


def _string(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "little") + data
