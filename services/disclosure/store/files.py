"""Subject files: where records stand, what is shown of them, and how far each subject's counts are.

Records and subjects can be reached from two lanes (a correction may say that a record is another subject's), but that
is rare. So no row is locked; every write compares what it read and a batch that lost the race is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis.bulk import Rows, columns
from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.disclosure.contracts.fields import EncodedFields, encoded
from services.disclosure.domain.events import Event, FileErased, RecordChanged, RecordStands, Shown, Standing
from services.disclosure.domain.subject_file import UNTOLD, Seqs, SubjectFile
from services.disclosure.domain.terms import FEEDS, Feed

STANDINGS = """
SELECT s.record_id AS id, s.version AS standing_version, s.subject_id AS of_subject, s.withdrawn, s.link_no, s.nobodys,
    d.*
FROM unnest($1::bytea[]) AS k (record_id) JOIN record_standing AS s USING (record_id)
LEFT JOIN disclosed_records AS d ON d.subject_id = s.subject_id AND d.record_id = s.record_id
"""
COUNTS = """
SELECT f.subject_id, f.public_seq, f.government_seq, f.erased
FROM unnest($1::bytea[]) AS k (subject_id) JOIN subject_files AS f USING (subject_id)
"""

NEW_STANDINGS = Rows(
    "record_standing", {"record_id": "bytea", "version": "bigint", "subject_id": "bytea", "withdrawn": "boolean"}
)
# Of a record whose link changed before anything else of it came; all others are made without the two columns.
NEW_LINKS = Rows(
    "record_standing",
    {"record_id": "bytea", "version": "bigint", "subject_id": "bytea", "withdrawn": "boolean", "link_no": "bigint",
     "nobodys": "boolean"},
)  # fmt: skip
MOVE_STANDINGS = """
UPDATE record_standing AS old SET version = new.version, subject_id = new.subject_id, withdrawn = new.withdrawn,
    link_no = new.link_no, nobodys = new.nobodys
FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::boolean[], $5::bigint[], $6::boolean[], $7::bigint[],
    $8::bigint[]) AS new (record_id, version, subject_id, withdrawn, link_no, nobodys, version_was, link_was)
WHERE old.record_id = new.record_id AND old.version = new.version_was AND old.link_no = new.link_was
"""
# All that is shown of who is erased, and the end of it: read and written in a batch that erases somebody, else never.
OF_SUBJECTS = "SELECT record_id FROM disclosed_records WHERE subject_id = ANY($1::bytea[])"
NEW_ERASED = Rows(
    "subject_files",
    {"subject_id": "bytea", "public_seq": "bigint", "government_seq": "bigint", "erased": "boolean"},
)
ERASE = """
UPDATE subject_files AS old SET public_seq = new.public_seq, government_seq = new.government_seq, erased = true
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS new (subject_id, public_seq, government_seq, public_was, government_was)
WHERE old.subject_id = new.subject_id AND old.public_seq = new.public_was AND old.government_seq = new.government_was
    AND NOT old.erased
"""
NEW_COUNTS = Rows("subject_files", {"subject_id": "bytea", "public_seq": "bigint", "government_seq": "bigint"})
MOVE_COUNTS = """
UPDATE subject_files AS old SET public_seq = new.public_seq, government_seq = new.government_seq
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS new (subject_id, public_seq, government_seq, public_was, government_was)
WHERE old.subject_id = new.subject_id AND old.public_seq = new.public_was AND old.government_seq = new.government_was
    AND NOT old.erased
"""
HIDE = """
DELETE FROM disclosed_records AS d USING unnest($1::bytea[], $2::bytea[]) AS gone (subject_id, record_id)
WHERE d.subject_id = gone.subject_id AND d.record_id = gone.record_id
"""
SHOWN = {
    "subject_id": "bytea", "record_id": "bytea", "version": "bigint", "in_public": "boolean",
    "in_government": "boolean", "item": "text", "item_version": "int", "agency": "text", "submission_id": "text",
    "subject_code": "text", "subject_name": "text", "decided_on": "date", "accepted_at": "bigint", "fields": "bytea",
    "changed_at": "bigint",
}  # fmt: skip
NEW_SHOWN = Rows("disclosed_records", SHOWN)
CHANGE_SHOWN = f"""
UPDATE disclosed_records AS old SET {", ".join(f"{name} = new.{name}" for name in [*SHOWN][2:])}
FROM unnest({", ".join(f"${n}::{kind}[]" for n, kind in enumerate(SHOWN.values(), 1))}) AS new ({", ".join(SHOWN)})
WHERE old.subject_id = new.subject_id AND old.record_id = new.record_id
"""  # noqa: S608 - constants above


async def load_standings(tx: Transaction, record_ids: Iterable[bytes]) -> dict[bytes, Standing]:
    """Where these records stand, with what is shown of them; unknown ones are left out."""
    rows = await tx.fetch(STANDINGS, sorted(record_ids))
    return {row["id"]: _standing(row) for row in rows}


async def load_counts(tx: Transaction, subject_ids: Iterable[bytes]) -> tuple[dict[bytes, Seqs], frozenset[bytes]]:
    """How far the counts of these subjects are, on both feeds, and who of them is erased; unknown ones are left out."""
    rows = await tx.fetch(COUNTS, sorted(subject_ids))
    counts = {row["subject_id"]: (row["public_seq"], row["government_seq"]) for row in rows}
    return counts, frozenset(row["subject_id"] for row in rows if row["erased"])


async def load_shown_of(tx: Transaction, subject_ids: Iterable[bytes]) -> dict[bytes, Standing]:
    """Where all records stand that are shown of these subjects.

    To be asked after their counts: a record that another lane adds in between has then moved a count that was read.
    """
    of = sorted(subject_ids)
    found = await load_standings(tx, [row["record_id"] for row in await tx.fetch(OF_SUBJECTS, of)])
    return {record_id: one for record_id, one in found.items() if one.subject_id in of}


def _standing(row: Mapping[str, Any]) -> Standing:
    head = (row["id"], row["standing_version"], row["of_subject"])
    link = (row["link_no"], row["nobodys"])
    if row["record_id"] is None:
        return Standing(*head, (), row["withdrawn"], None, *link)
    feeds: tuple[Feed, ...] = tuple(feed for feed in FEEDS if row[f"in_{feed}"])
    return Standing(*head, feeds, False, _shown(row), *link)


def _shown(row: Mapping[str, Any]) -> Shown:
    return Shown(
        row["item"],
        row["item_version"],
        row["agency"],
        row["submission_id"],
        row["subject_code"],
        row["subject_name"],
        row["decided_on"],
        row["accepted_at"],
        EncodedFields(row["fields"]),
    )


async def save(
    tx: Transaction,
    before: Mapping[bytes, SubjectFile],
    after: Mapping[bytes, SubjectFile],
    events: Sequence[tuple[bytes, Event]],
) -> None:
    """Write the records that moved and the counts that rose."""
    moved: dict[bytes, tuple[Standing | None, RecordStands]] = {}
    counted: dict[bytes, tuple[bytes, SubjectFile]] = {}
    for key, event in events:
        if isinstance(event, RecordStands):
            record_id = event.standing.record_id
            moved[record_id] = before[key].records.get(record_id), event
        elif isinstance(event, RecordChanged | FileErased):
            counted[event.subject_id] = key, after[key]
    if moved:
        await _save_standings(tx, moved)
        await _save_shown(tx, moved)
    if counted:
        await _save_counts(tx, before, counted)


async def _save_standings(tx: Transaction, moved: Mapping[bytes, tuple[Standing | None, RecordStands]]) -> None:
    new: list[tuple[Any, ...]] = []
    links: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    for record_id, (old, event) in sorted(moved.items()):
        to = event.standing
        row = (record_id, to.version, to.subject_id, to.withdrawn)
        if old is not None:
            known.append((*row, to.link_no, to.nobodys, old.version, old.link_no))
        elif to.link_no:
            links.append((*row, to.link_no, to.nobodys))
        else:
            new.append(row)
    await NEW_STANDINGS.insert(tx, new)
    await NEW_LINKS.insert(tx, links)
    await _exactly(tx, MOVE_STANDINGS, known)


async def _save_shown(tx: Transaction, moved: Mapping[bytes, tuple[Standing | None, RecordStands]]) -> None:
    gone: list[tuple[bytes, bytes]] = []
    new: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    for old, event in moved.values():
        to = event.standing
        stays = old is not None and old.shown is not None and old.subject_id == to.subject_id
        if old is not None and old.shown is not None and not (stays and to.shown is not None):
            gone.append((old.subject_id, old.record_id))
        if to.shown is not None:
            (known if stays else new).append(_row(event))
    if gone:
        await tx.execute(HIDE, *columns(sorted(gone)))
    await NEW_SHOWN.insert(tx, sorted(new, key=_key))
    await _exactly(tx, CHANGE_SHOWN, sorted(known, key=_key))


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:2]


def _row(event: RecordStands) -> tuple[Any, ...]:
    standing, shown = event.standing, event.standing.shown
    assert shown is not None
    return (
        standing.subject_id,
        standing.record_id,
        standing.version,
        "public" in standing.feeds,
        "government" in standing.feeds,
        *shown[:7],
        shown.accepted_at_ms,
        encoded(shown.fields),
        event.at_ms,
    )


async def _save_counts(
    tx: Transaction, before: Mapping[bytes, SubjectFile], counted: Mapping[bytes, tuple[bytes, SubjectFile]]
) -> None:
    new: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    new_erased: list[tuple[Any, ...]] = []
    erased: list[tuple[Any, ...]] = []
    for subject_id, (key, file) in sorted(counted.items()):
        row, was = (subject_id, *file.counts.get(subject_id, UNTOLD)), before[key].counts.get(subject_id)
        ends = subject_id in file.erased  # of who was erased before nothing is counted any more
        if was is not None:
            (erased if ends else known).append((*row, *was))
        elif ends:
            new_erased.append((*row, True))
        else:
            new.append(row)
    await NEW_COUNTS.insert(tx, new)
    await NEW_ERASED.insert(tx, new_erased)
    await _exactly(tx, MOVE_COUNTS, known)
    await _exactly(tx, ERASE, erased)


async def _exactly(tx: Transaction, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Every row must be written; one that is not was changed by another lane since it was read."""
    if rows and await tx.execute(statement, *columns(rows)) not in (f"INSERT 0 {len(rows)}", f"UPDATE {len(rows)}"):
        raise Transient("database", "changed by another lane since it was read")
