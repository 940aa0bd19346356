"""Fills disclosure's store for `make bench-query`: a million subjects with five records each, as copies (copies.py).

The records of a subject lie far apart, as they would arrive. `agree` asks the service for an original and for its copy,
and compares what it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bench.checks import equal
from bench.copies import Copier, Table, copier, hashed, numbered, only_code
from bench.rig import Connection
from services.cli.synthetic.chance import source
from services.cli.synthetic.codes import ORGANISATION, new_org_code
from services.kernel import uscc

CHUNK = 500_000
SUBJECT, RECORD = hashed("filled subject"), hashed("filled record")
ONE_CODE = "kind = 'org' AND code_kinds = '{uscc}'"
SHOWN = "in_public AND version = 1"
TABLES = "subjects, subject_codes, subject_files, disclosed_records"
Tell = Callable[[str], None]


class Filled(NamedTuple):
    """The codes of the subjects in order, how many records each has, and whose copies they are."""

    codes: list[str]
    per_subject: int
    originals: list[tuple[bytes, bytes]]  # subject id and record id


async def fill(store: Connection, subjects: int, records: int, tell: Tell) -> Filled:
    """Write them; there must be rows of the service's own already. Raises `CheckFailed`."""
    chance, taken = source(records, "query"), set[str]()
    codes = [uscc.complete(f"91420100{new_org_code(ORGANISATION, chance, taken)}") for _ in range(subjects)]
    count = (records // subjects).to_bytes(8)
    counts = dict.fromkeys(("public_seq", "government_seq"), numbered(lambda _: count))
    by_subject = [
        Table("subjects", {"subject_id": SUBJECT, "codes": only_code(codes.__getitem__)}, ONE_CODE),
        Table("subject_codes", {"code": numbered(lambda n: codes[n].encode()), "subject_id": SUBJECT}, "kind = 'uscc'"),
        Table("subject_files", {"subject_id": SUBJECT, **counts}),
    ]
    whose, submission = numbered(lambda n: subject_id(n % subjects)), numbered(lambda n: b"F%012d" % n)
    new = {"subject_id": whose, "record_id": RECORD, "submission_id": submission}
    shown = Table("disclosed_records", new, SHOWN)
    copiers = [await copier(store, table) for table in by_subject]
    records_copier = await copier(store, shown)
    await store.execute("SET statement_timeout = 0; SET synchronous_commit = off")
    for each in copiers:
        await each.put(store, range(subjects))
    for begin in range(0, records, CHUNK):
        tell(f"{begin:,} of {records:,} records copied into the store")
        await records_copier.put(store, range(begin, min(begin + CHUNK, records)))
    await store.execute(f"VACUUM ANALYZE {TABLES}")
    return Filled(codes, records // subjects, _originals(records_copier))


def _originals(copier: Copier) -> list[tuple[bytes, bytes]]:
    at = [copier.columns.index(name) for name in ("subject_id", "record_id")]
    return [(row[at[0]][4:], row[at[1]][4:]) for row in copier.originals]


def subject_id(number: int) -> bytes:
    """Of the subject with this code."""
    return SUBJECT(number, b"")


async def agree(stub: Any, inquiry: Any, filled: Filled) -> None:
    """What the service shows of a copy is what it shows of its own row but for the ids. Raises `CheckFailed`."""
    from credit.disclosure.v1 import disclosure_pb2 as pb

    async def shown(subject: bytes, record: bytes) -> Any:
        question = pb.ListRecordsRequest(inquiry=inquiry, subject_id=subject.hex(), page_size=500)
        (found,) = [r for r in (await stub.ListRecords(question, timeout=20)).records if r.record_id == record.hex()]
        for name in ("record_id", "submission_id"):
            found.ClearField(name)
        return found

    for n, original in enumerate(filled.originals[:20]):
        copy = await shown(subject_id(n % len(filled.codes)), RECORD(n, b""))
        equal("query: a copied row is shown as its original", copy, await shown(*original))
