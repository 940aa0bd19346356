"""Subject files: where records stand, what is shown of them, and how far each subject's counts are.

Records and subjects can be reached from two lanes (a correction may say that a record is another subject's), but that
is rare. So no row is locked; every write compares what it read and a batch that lost the race is tried again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.disclosure.domain.events import Event, RecordChanged, RecordStands, Shown, Standing
from services.disclosure.domain.subject_file import Count, SubjectFile
from services.disclosure.domain.terms import FEEDS, Feed
from services.disclosure.store.columns import columns, ms_of, time_of

STANDINGS = """
SELECT s.record_id AS id, s.version AS standing_version, s.subject_id AS of_subject, s.withdrawn, d.*
FROM record_standing AS s
LEFT JOIN disclosed_records AS d ON d.subject_id = s.subject_id AND d.record_id = s.record_id
WHERE s.record_id = ANY($1::bytea[])
"""
COUNTS = "SELECT subject_id, public_seq, government_seq FROM subject_files WHERE subject_id = ANY($1::bytea[])"

NEW_STANDINGS = """
INSERT INTO record_standing (record_id, version, subject_id, withdrawn)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::boolean[]) ON CONFLICT DO NOTHING
"""
MOVE_STANDINGS = """
UPDATE record_standing AS old SET version = new.version, subject_id = new.subject_id, withdrawn = new.withdrawn
FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::boolean[], $5::bigint[])
    AS new (record_id, version, subject_id, withdrawn, expected)
WHERE old.record_id = new.record_id AND old.version = new.expected
"""
NEW_COUNTS = """
INSERT INTO subject_files (subject_id, public_seq, government_seq)
SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) ON CONFLICT DO NOTHING
"""
MOVE_COUNTS = """
UPDATE subject_files AS old SET public_seq = new.public_seq, government_seq = new.government_seq
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS new (subject_id, public_seq, government_seq, public_was, government_was)
WHERE old.subject_id = new.subject_id AND old.public_seq = new.public_was AND old.government_seq = new.government_was
"""
HIDE = """
DELETE FROM disclosed_records AS d USING unnest($1::bytea[], $2::bytea[]) AS gone (subject_id, record_id)
WHERE d.subject_id = gone.subject_id AND d.record_id = gone.record_id
"""
SHOW = """
INSERT INTO disclosed_records (subject_id, record_id, version, in_public, in_government, item, item_version, agency,
    submission_id, subject_code, subject_name, decided_on, accepted_at, fields, changed_at)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::boolean[], $5::boolean[], $6::text[], $7::int[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::date[], $13::timestamptz[], $14::bytea[],
    $15::timestamptz[])
ON CONFLICT (subject_id, record_id) DO UPDATE SET version = excluded.version, in_public = excluded.in_public,
    in_government = excluded.in_government, item = excluded.item, item_version = excluded.item_version,
    agency = excluded.agency, submission_id = excluded.submission_id, subject_code = excluded.subject_code,
    subject_name = excluded.subject_name, decided_on = excluded.decided_on, accepted_at = excluded.accepted_at,
    fields = excluded.fields, changed_at = excluded.changed_at
"""


async def load_standings(tx: Transaction, record_ids: Iterable[bytes]) -> dict[bytes, Standing]:
    """Where these records stand, with what is shown of them; unknown ones are left out."""
    rows = await tx.fetch(STANDINGS, sorted(record_ids))
    return {row["id"]: _standing(row) for row in rows}


async def load_counts(tx: Transaction, subject_ids: Iterable[bytes]) -> dict[Count, int]:
    """How far the counts of these subjects are, on both feeds; unknown ones are left out."""
    counts: dict[Count, int] = {}
    for row in await tx.fetch(COUNTS, sorted(subject_ids)):
        for feed in FEEDS:
            counts[row["subject_id"], feed] = row[f"{feed}_seq"]
    return counts


def _standing(row: Mapping[str, Any]) -> Standing:
    head = (row["id"], row["standing_version"], row["of_subject"])
    if row["record_id"] is None:
        return Standing(*head, withdrawn=row["withdrawn"])
    feeds: tuple[Feed, ...] = tuple(feed for feed in FEEDS if row[f"in_{feed}"])
    return Standing(*head, feeds, shown=_shown(row))


def _shown(row: Mapping[str, Any]) -> Shown:
    return Shown(
        row["item"],
        row["item_version"],
        row["agency"],
        row["submission_id"],
        row["subject_code"],
        row["subject_name"],
        row["decided_on"],
        ms_of(row["accepted_at"]),
        json.loads(row["fields"]),
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
        elif isinstance(event, RecordChanged):
            counted[event.subject_id] = key, after[key]
    if moved:
        await _save_standings(tx, moved)
        await _save_shown(tx, moved)
    if counted:
        await _save_counts(tx, before, counted)


async def _save_standings(tx: Transaction, moved: Mapping[bytes, tuple[Standing | None, RecordStands]]) -> None:
    new: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    for record_id, (old, event) in sorted(moved.items()):
        to = event.standing
        row = (record_id, to.version, to.subject_id, to.withdrawn)
        if old is None:
            new.append(row)
        else:
            known.append((*row, old.version))
    await _exactly(tx, NEW_STANDINGS, new)
    await _exactly(tx, MOVE_STANDINGS, known)


async def _save_shown(tx: Transaction, moved: Mapping[bytes, tuple[Standing | None, RecordStands]]) -> None:
    gone = [(old.subject_id, old.record_id) for old, event in moved.values() if old and _leaves(old, event.standing)]
    if gone:
        await tx.execute(HIDE, *columns(sorted(gone)))
    rows = [_row(event) for _, event in moved.values() if event.standing.shown is not None]
    if rows:
        await tx.execute(SHOW, *columns(sorted(rows, key=lambda row: row[:2])))


def _leaves(old: Standing, new: Standing) -> bool:
    return old.shown is not None and (new.shown is None or new.subject_id != old.subject_id)


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
        time_of(shown.accepted_at_ms),
        json.dumps(shown.fields, ensure_ascii=False, separators=(",", ":")).encode(),
        time_of(event.at_ms),
    )


async def _save_counts(
    tx: Transaction, before: Mapping[bytes, SubjectFile], counted: Mapping[bytes, tuple[bytes, SubjectFile]]
) -> None:
    new: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    for subject_id, (key, file) in sorted(counted.items()):
        row = (subject_id, *_seqs(file, subject_id))
        if (subject_id, FEEDS[0]) in before[key].counts:
            known.append((*row, *_seqs(before[key], subject_id)))
        else:
            new.append(row)
    await _exactly(tx, NEW_COUNTS, new)
    await _exactly(tx, MOVE_COUNTS, known)


def _seqs(file: SubjectFile, subject_id: bytes) -> tuple[int, ...]:
    return tuple(file.counts.get((subject_id, feed), 0) for feed in FEEDS)


async def _exactly(tx: Transaction, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Every row must be written; one that is not was changed by another lane since it was read."""
    if rows and await tx.execute(statement, *columns(rows)) not in (f"INSERT 0 {len(rows)}", f"UPDATE {len(rows)}"):
        raise Transient("database", "changed by another lane since it was read")
