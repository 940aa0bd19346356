"""The steps of a sort of submissions as a table of bytes, which the native cutter runs over each of them.

Of the fixed envelope the first texts lie the same in every schema; the table begins behind them. Per field: operation
u8, with `OPTIONAL` where it may be null; then, of a text that is kept, its slot u8; of what is shown, the size u16,
little-endian, of its key and the key as the map of fields has it. `native/cut.c` is the other side; `TABLE_VERSION`
ties them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum

from services.chassis.wire import avro_bytes
from services.disclosure.contracts.plan import ENVELOPE, Act, Step

TABLE_VERSION = 1
FIXED_TEXTS = 7  # submission_id, item, agency, source_unit, action, record_no, subject_kind
OPTIONAL = 0x80
MOST_KEY = 0xFFFF


class Op(IntEnum):
    """What the cutter does with a field."""

    SKIP_TEXT = 0
    SKIP_LONG = 1
    SKIP_1 = 2
    SKIP_4 = 3
    SKIP_8 = 4
    KEEP_TEXT = 5
    KEEP_DAY = 6
    SHOW_TEXT = 7
    SHOW_NUMBER = 8
    SHOW_DAY = 9
    SHOW_TRUTH = 10


OPERATIONS = {
    (Act.SKIP, "string"): Op.SKIP_TEXT,
    (Act.SKIP, "bytes"): Op.SKIP_TEXT,
    (Act.SKIP, "long"): Op.SKIP_LONG,
    (Act.SKIP, "date"): Op.SKIP_LONG,
    (Act.SKIP, "moment"): Op.SKIP_LONG,
    (Act.SKIP, "boolean"): Op.SKIP_1,
    (Act.SKIP, "float"): Op.SKIP_4,
    (Act.SKIP, "double"): Op.SKIP_8,
    (Act.KEEP, "string"): Op.KEEP_TEXT,
    (Act.KEEP, "date"): Op.KEEP_DAY,
    (Act.SHOW, "string"): Op.SHOW_TEXT,
    (Act.SHOW, "long"): Op.SHOW_NUMBER,
    (Act.SHOW, "date"): Op.SHOW_DAY,
    (Act.SHOW, "boolean"): Op.SHOW_TRUTH,
}


def compile_program(steps: Sequence[Step]) -> bytes | None:
    """The table; None for what does not fit into one, which Python alone will read."""
    fixed, rest = steps[:FIXED_TEXTS], steps[FIXED_TEXTS:]
    if any((step.act, step.kind) != (Act.SKIP, "string") or step.optional for step in fixed):
        return None
    keys = [avro_bytes(step.name.encode()) for step in rest if step.act is Act.SHOW]
    if len(fixed) < FIXED_TEXTS or any(len(key) > MOST_KEY for key in keys):
        return None
    return b"".join(map(_entry, rest))


def _entry(step: Step) -> bytes:
    operation = OPERATIONS[step.act, step.kind]
    head = bytes([operation | (OPTIONAL if step.optional else 0)])
    if step.act is Act.SHOW:
        key = avro_bytes(step.name.encode())
        return head + struct.pack("<H", len(key)) + key
    return head + bytes([ENVELOPE.index(step.name)]) if operation is Op.KEEP_TEXT else head
