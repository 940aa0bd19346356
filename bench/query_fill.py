"""Fills disclosure's store for `make bench-query`: a million subjects with five records each.

Rows are copies of rows that the service itself wrote a moment before, of permits that went the whole road: taken out by
binary COPY, given new ids, codes and submission ids, and put in by binary COPY into the same tables with the same
indexes, in the order in which records would arrive (those of a subject far apart), sorted by key within a batch, as the
service does. `agree` asks the service for records of both kinds and compares what it shows.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from bench.checks import equal
from bench.rig import Connection
from services.cli.synthetic.chance import source
from services.cli.synthetic.codes import ORGANISATION, new_org_code
from services.kernel import uscc

CHUNK = 100_000
TEMPLATES = 500
CARD = ("subject_id", "codes", "version", "kind", "name", "code_kinds", "changed_at")
CODE = ("code", "subject_id", "kind")
FILE = ("subject_id", "public_seq", "government_seq")
RECORD = (
    "subject_id", "record_id", "submission_id", "version", "in_public", "in_government", "item", "item_version",
    "agency", "subject_code", "subject_name", "decided_on", "accepted_at", "fields", "changed_at",
)  # fmt: skip
# What is replaced comes first in each row, so that the rest is passed on as it is.
CARDS = f"""
SELECT {", ".join(CARD)} FROM subjects WHERE kind = 'org' AND code_kinds = '{{uscc}}' ORDER BY subject_id LIMIT $1
"""  # noqa: S608 - constants
RECORDS = f"""
SELECT {", ".join(RECORD)} FROM disclosed_records WHERE in_public AND version = 1 ORDER BY record_id LIMIT $1
"""  # noqa: S608 - constants
HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
Row: TypeAlias = list[bytes]  # the fields as COPY carries them: their length, then the value
Tell = Callable[[str], None]


class Filled(NamedTuple):
    """The codes of the subjects in order, how many records each has, and the records they were copied from."""

    codes: list[str]
    per_subject: int
    originals: list[tuple[bytes, bytes]]  # subject id and record id


async def fill(store: Connection, subjects: int, records: int, tell: Tell) -> Filled:
    """Write them; there must be rows of the service's own already. Raises `CheckFailed`."""
    cards, shown = await _taken(store, CARDS), await _taken(store, RECORDS)
    equal("query: the service has written rows to copy", bool(cards and shown), True)
    chance, taken = source(records, "query"), set[str]()
    codes = [uscc.complete(f"91420100{new_org_code(ORGANISATION, chance, taken)}") for _ in range(subjects)]
    await store.execute("SET statement_timeout = 0; SET synchronous_commit = off")
    for begin in range(0, subjects, CHUNK):
        await _fill_subjects(store, cards, range(begin, min(begin + CHUNK, subjects)), codes, records // subjects)
    rest = [b"".join(row[3:]) for row in shown]
    for begin in range(0, records, CHUNK):
        made = sorted(
            _field(subject_id(n % subjects)) + _field(record_id(n)) + _field(b"F%012d" % n) + rest[n % len(rest)]
            for n in range(begin, min(begin + CHUNK, records))
        )
        await _put(store, "disclosed_records", RECORD, made)
        if begin % (10 * CHUNK) == 0:
            tell(f"{begin:,} of {records:,} records copied into the store")
    await store.execute("VACUUM ANALYZE subjects, subject_codes, subject_files, disclosed_records")
    return Filled(codes, records // subjects, [(row[0][4:], row[1][4:]) for row in shown])


async def _fill_subjects(
    store: Connection, cards: Sequence[Row], numbers: range, codes: Sequence[str], per_subject: int
) -> None:
    uscc_kind, count = _field(b"uscc"), _field(per_subject.to_bytes(8))
    made: list[bytes] = []
    for n in numbers:
        card = cards[n % len(cards)]
        array = card[1][:-18] + codes[n].encode()  # one element of 18 characters stands at the end
        made.append(_field(subject_id(n)) + array + b"".join(card[2:]))
    await _put(store, "subjects", CARD, sorted(made))
    own = (_field(codes[n].encode()) + _field(subject_id(n)) + uscc_kind for n in numbers)
    await _put(store, "subject_codes", CODE, sorted(own))
    await _put(store, "subject_files", FILE, sorted(_field(subject_id(n)) + count + count for n in numbers))


async def _taken(store: Connection, query: str) -> list[Row]:
    """The rows of a query as COPY tells them: a head of 19 bytes, each row its number of fields, then the fields."""
    out = io.BytesIO()
    await store.copy_from_query(query, TEMPLATES, output=out, format="binary")
    data, at, rows = out.getvalue(), len(HEAD), list[Row]()
    while data[at : at + 2] != END:
        row, at = Row(), at + 2
        for _ in range(int.from_bytes(data[at - 2 : at])):
            size = max(0, int.from_bytes(data[at : at + 4], signed=True))  # -1: NULL
            row.append(data[at : at + 4 + size])
            at += 4 + size
        rows.append(row)
    return rows


async def _put(store: Connection, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> None:
    fields = len(columns).to_bytes(2)
    data = io.BytesIO(HEAD + b"".join(fields + row for row in rows) + END)
    await store.copy_to_table(table, source=data, columns=columns, format="binary")


def _field(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def subject_id(number: int) -> bytes:
    """16 bytes without order, as a hash of the code is."""
    return blake2b(b"filled subject %d" % number, digest_size=16).digest()


def record_id(number: int) -> bytes:
    """As above."""
    return blake2b(b"filled record %d" % number, digest_size=16).digest()


async def agree(stub: Any, inquiry: Any, filled: Filled, subjects: int) -> None:
    """What the service shows of a copy is what it shows of its own row but for the ids. Raises `CheckFailed`."""
    from credit.disclosure.v1 import disclosure_pb2 as pb

    async def shown(subject: bytes, record: bytes) -> Any:
        question = pb.ListRecordsRequest(inquiry=inquiry, subject_id=subject.hex(), page_size=500)
        (found,) = [r for r in (await stub.ListRecords(question, timeout=20)).records if r.record_id == record.hex()]
        for name in ("record_id", "submission_id"):
            found.ClearField(name)
        return found

    for n, original in enumerate(filled.originals[:20]):
        copy = await shown(subject_id(n % subjects), record_id(n))
        equal("query: a copied row is shown as its original", copy, await shown(*original))
