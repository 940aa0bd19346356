"""Fills disclosure's store for `make bench-query`: a million subjects with five records each, in under two minutes.

Rows are copies of rows that the service itself wrote a moment before, of permits that went the whole road: only ids,
codes and submission ids are new. They are written straight into its tables by COPY, in the order in which records would
arrive (those of a subject far apart), sorted by key within a batch, as the service does. `agree` asks the service for
records of both kinds and compares what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from bench.checks import equal
from bench.rig import Connection
from services.cli.synthetic.chance import source
from services.cli.synthetic.codes import ORGANISATION, new_org_code
from services.kernel import uscc

CHUNK = 100_000
TEMPLATES = 500
SUBJECTS = """
SELECT s.* FROM subjects AS s WHERE s.kind = 'org' AND 'uscc' = ANY(s.code_kinds) ORDER BY s.subject_id LIMIT $1
"""
RECORDS = """
SELECT d.* FROM disclosed_records AS d WHERE d.in_public AND d.version = 1 ORDER BY d.subject_id, d.record_id LIMIT $1
"""
Row: TypeAlias = dict[str, Any]
Tell = Callable[[str], None]


class Filled(NamedTuple):
    """The codes of the subjects in order, and the rows that the service wrote and the others were made from."""

    codes: list[str]
    cards: list[Row]
    records: list[Row]
    per_subject: int


async def fill(store: Connection, subjects: int, records: int, tell: Tell) -> Filled:
    """Write them; there must be rows of the service's own already."""
    cards = [dict(row) for row in await store.fetch(SUBJECTS, TEMPLATES)]
    shown = [dict(row) for row in await store.fetch(RECORDS, TEMPLATES)]
    if not cards or not shown:
        raise SystemExit("CHECK FAILED query: the service has written no row to copy")
    chance, taken = source(records, "query"), set[str]()
    codes = [uscc.complete(f"91420100{new_org_code(ORGANISATION, chance, taken)}") for _ in range(subjects)]
    per_subject = records // subjects
    await store.execute("SET statement_timeout = 0; SET synchronous_commit = off")
    for begin in range(0, subjects, CHUNK):
        numbers = range(begin, min(begin + CHUNK, subjects))
        made = sorted((_card(cards[n % len(cards)], n, codes[n]) for n in numbers), key=lambda row: row["subject_id"])
        await _copy(store, "subjects", made)
        await _copy(store, "subject_codes", sorted(_codes(made), key=lambda row: row["code"]))
        counts = {"public_seq": per_subject, "government_seq": per_subject}
        await _copy(store, "subject_files", [{"subject_id": row["subject_id"], **counts} for row in made])
    for begin in range(0, records, CHUNK):
        numbers = range(begin, min(begin + CHUNK, records))
        made = [_record(shown[n % len(shown)], n, subjects) for n in numbers]
        await _copy(store, "disclosed_records", sorted(made, key=lambda row: (row["subject_id"], row["record_id"])))
        if begin % (10 * CHUNK) == 0:
            tell(f"{begin:,} of {records:,} records copied into the store")
    await store.execute("VACUUM ANALYZE subjects, subject_codes, subject_files, disclosed_records")
    return Filled(codes, cards, shown, per_subject)


async def _copy(store: Connection, table: str, rows: Sequence[Row]) -> None:
    columns = list(rows[0])
    await store.copy_records_to_table(table, columns=columns, records=[tuple(row.values()) for row in rows])


def subject_id(number: int) -> bytes:
    """16 bytes without order, as a hash of the code is."""
    return blake2b(f"filled subject {number}".encode(), digest_size=16).digest()


def record_id(number: int) -> bytes:
    """As above."""
    return blake2b(f"filled record {number}".encode(), digest_size=16).digest()


def _card(template: Row, number: int, code: str) -> Row:
    """Its other codes are made from the first, as identity makes them: the organisation code stands inside."""
    codes = [_code(kind, code) for kind in template["code_kinds"]]
    return {**template, "subject_id": subject_id(number), "codes": codes}


def _code(kind: str, code: str) -> str:
    return {"uscc": code, "org_code": code[8:17]}.get(kind, f"{code[:6]}{code[8:17]}")


def _codes(cards: Sequence[Row]) -> Iterator[Row]:
    for card in cards:
        for kind, code in zip(card["code_kinds"], card["codes"], strict=True):
            yield {"kind": kind, "code": code, "subject_id": card["subject_id"]}


def _record(template: Row, number: int, subjects: int) -> Row:
    ids = {"subject_id": subject_id(number % subjects), "record_id": record_id(number)}
    return {**template, **ids, "submission_id": f"F{number:012d}"}


async def agree(stub: Any, inquiry: Any, filled: Filled, subjects: int) -> None:
    """What the service shows of a copy is what it shows of its own row but for the ids. Raises `CheckFailed`."""
    from credit.disclosure.v1 import disclosure_pb2 as pb

    async def shown(subject: bytes, record: bytes) -> Any:
        question = pb.ListRecordsRequest(inquiry=inquiry, subject_id=subject.hex(), page_size=500)
        (found,) = [r for r in (await stub.ListRecords(question, timeout=20)).records if r.record_id == record.hex()]
        for name in ("record_id", "submission_id"):
            found.ClearField(name)
        return found

    for n in range(0, len(filled.records), max(1, len(filled.records) // 20)):
        own = filled.records[n]
        equal(
            "query: a copied row is shown as its original",
            await shown(subject_id(n % subjects), record_id(n)),
            await shown(own["subject_id"], own["record_id"]),
        )
