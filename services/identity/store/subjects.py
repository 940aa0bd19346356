"""Subjects: placed and locked where a batch brings news of them, else only read; and written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.neighbours import confirmed, renewed, subject_ids
from services.identity.domain.records import RecordSeen
from services.identity.domain.subject_events import NameConfirmed, SubjectChanged
from services.identity.domain.subjects import Code, Subject
from services.identity.store.found import Found
from services.identity.store.writing import Row, Told

PLACE_SUBJECTS = """
INSERT INTO subjects (subject_id) SELECT id FROM unnest($1::bytea[]) AS id ORDER BY id ON CONFLICT DO NOTHING
"""
LOCK_SUBJECTS = """
SELECT subject_id, kind, name, named_at, version, codes, merged_into FROM subjects
WHERE subject_id = ANY($1::bytea[]) ORDER BY subject_id FOR UPDATE
"""
KNOWN_SUBJECTS = """
SELECT subject_id, kind, name, named_at, version, codes, merged_into FROM subjects
WHERE subject_id = ANY($1::bytea[]) AND version > 0
"""
SAVE_SUBJECTS = """
UPDATE subjects AS old SET kind = new.kind, name = new.name, named_at = new.named_at, version = new.version,
    codes = new.codes, merged_into = new.merged_into
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::jsonb[], $7::bytea[])
    AS new (subject_id, kind, name, named_at, version, codes, merged_into)
WHERE old.subject_id = new.subject_id
"""


async def load_standing(tx: Transaction, found: Found) -> None:
    """Whom records are linked to, and who stands for any of these subjects; nearly always all are known by now."""
    linked = {record.link.subject_id for record in found.records.values() if record.link is not None}
    while True:
        into = {subject.merged_into for subject in found.subjects.values() if subject.merged_into is not None}
        if not (wanted := sorted((linked | into) - found.subjects.keys())):
            return
        rows = await tx.fetch(KNOWN_SUBJECTS, wanted)
        if not rows:
            return
        _found_subjects(found, rows)


async def load_subjects(tx: Transaction, found: Found, everything: Sequence[RecordSeen], changed: set[bytes]) -> None:
    """Guards the race between two lanes that bring news of one subject: both lock its row.

    A record that only names a known subject brings none, and a subject that is known stays so: its row is read without
    a lock, which would be a write. That is most records. One that a name must confirm locks the row too: it and the
    registration that brings the name meet in any order, as a record and a mapping do.
    """
    bound = {alias.subject_id for alias in found.aliases.values() if alias.subject_id is not None}
    changing = renewed(everything) | confirmed(everything, found.aliases) | changed
    wanted = subject_ids(everything) | bound | changed
    if quiet := sorted(wanted - changing):
        _found_subjects(found, await tx.fetch(KNOWN_SUBJECTS, quiet))
    if locked := sorted(wanted - found.subjects.keys()):
        await tx.execute(PLACE_SUBJECTS, locked)
        _found_subjects(found, await tx.fetch(LOCK_SUBJECTS, locked))


def _found_subjects(found: Found, rows: Iterable[Any]) -> None:
    for subject_id, kind, name, named_at, version, codes, merged_into in rows:
        known = tuple(Code(**code) for code in json.loads(codes))
        found.subjects[subject_id] = Subject(subject_id, kind, name, named_at, version, known, merged_into)


def changed_subjects(after: Mapping[bytes, Cluster], events: Told) -> Iterable[Row]:
    """The subjects that had an event, each once, as they are now."""
    changed: dict[bytes, Subject] = {}
    for key, event in events:
        if isinstance(event, SubjectChanged | NameConfirmed):
            subject_id = event.subject_id if isinstance(event, NameConfirmed) else event.subject.subject_id
            changed[subject_id] = after[key].subject(subject_id)
    for s in changed.values():
        codes = json.dumps([code._asdict() for code in s.codes], ensure_ascii=False)
        yield s.subject_id, s.kind, s.name, s.named_at, s.version, codes, s.merged_into
