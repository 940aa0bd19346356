"""Writes what the events of a batch changed, one statement per table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.chassis.bulk import Rows, columns
from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.events import (
    Alias,
    AliasBound,
    AliasContested,
    AliasFreed,
    Event,
    NameConfirmed,
    RecordHeld,
    RecordLinked,
    RecordOvertaken,
    RecordRejected,
    RecordSuperseded,
    RecordUnlinked,
    Subject,
    SubjectChanged,
    VersionArrived,
    VersionsMissing,
)
from services.identity.store import ledger, rates, relations

SUBJECTS = """
UPDATE subjects AS old SET kind = new.kind, name = new.name, named_at = new.named_at, version = new.version,
    codes = new.codes, merged_into = new.merged_into
FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::jsonb[], $7::bytea[])
    AS new (subject_id, kind, name, named_at, version, codes, merged_into)
WHERE old.subject_id = new.subject_id
"""
ALIASES = """
UPDATE aliases AS old SET subject_id = new.subject_id, source = new.source, contested = new.contested
FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::boolean[]) AS new (alias_id, subject_id, source, contested)
WHERE old.alias_id = new.alias_id
"""
LINK_COLUMNS = {
    "record_id": "bytea",
    "subject_id": "bytea",
    "version": "bigint",
    "rule": "text",
    "evidence": "text",
    "linked_at": "bigint",
}
NEW_LINKS = Rows("record_links", LINK_COLUMNS)
# Of a record that was nobody's, whose link is made anew; all others are made without the number.
NEW_AGAIN = Rows("record_links", {**LINK_COLUMNS, "link_no": "bigint"})
LINKS = """
UPDATE record_links AS old SET subject_id = new.subject_id, version = new.version, rule = new.rule,
    evidence = new.evidence, linked_at = new.linked_at, link_no = new.link_no
FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
    AS new (record_id, subject_id, version, rule, evidence, linked_at, link_no)
WHERE old.record_id = new.record_id
"""
HOLD = """
INSERT INTO reviews (state, record_id, version, reason, alias_id, item, agency, code_kind, accepted, held_at, link_no)
SELECT 'WAITING', new.* FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::text[],
    $7::text[], $8::bytea[], $9::timestamptz[], $10::bigint[]) AS new
ON CONFLICT (state, record_id, version) DO UPDATE SET reason = excluded.reason, alias_id = excluded.alias_id
"""
SETTLE = """
UPDATE reviews AS old SET state = new.state, accepted = NULL, settled_at = new.at
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::timestamptz[]) AS new (record_id, version, state, at)
WHERE old.state = 'WAITING' AND old.record_id = new.record_id AND old.version = new.version
"""
UNLINK = "DELETE FROM record_links WHERE record_id = ANY($1::bytea[])"
# A version that waits again, whatever became of it before.
REOPEN = """
DELETE FROM reviews AS old USING unnest($1::bytea[], $2::bigint[]) AS again (record_id, version)
WHERE old.state <> 'WAITING' AND old.record_id = again.record_id AND old.version = again.version
"""
KEEP = """
INSERT INTO code_links (record_id, alias_id, version, accepted)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[])
ON CONFLICT (record_id) DO UPDATE SET alias_id = excluded.alias_id, version = excluded.version,
    accepted = excluded.accepted
"""
FORGET = "DELETE FROM code_links WHERE record_id = ANY($1::bytea[])"
OVERTAKE = """
INSERT INTO reviews (state, record_id, version, reason, item, agency, code_kind, held_at, settled_at)
SELECT 'SUPERSEDED', new.record_id, new.version, 'OVERTAKEN', new.item, new.agency, new.code_kind, new.at, new.at
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS new (record_id, version, item, agency, code_kind, at)
"""
MISS = "INSERT INTO missing_versions SELECT * FROM unnest($1::bytea[], $2::bigint[])"
ARRIVE = """
DELETE FROM missing_versions AS old USING unnest($1::bytea[], $2::bigint[]) AS new (record_id, version)
WHERE old.record_id = new.record_id AND old.version = new.version
"""

Told = Sequence[tuple[bytes, Event]]
Row = tuple[Any, ...]


async def save(tx: Transaction, before: Mapping[bytes, Cluster], after: Mapping[bytes, Cluster], events: Told) -> None:
    """Write the subjects, aliases, links and reviews that had an event, as they are now."""
    await _run(tx, SUBJECTS, _subjects(after, events))
    await _run(tx, ALIASES, _aliases(after, events))
    new, again, known = _links(before, after, events)
    await NEW_LINKS.insert(tx, sorted(new))
    await NEW_AGAIN.insert(tx, sorted(again))
    await _run(tx, LINKS, known)
    await _save_codes(tx, before, events)
    kinds = {type(event) for _, event in events}  # most batches have few
    if RecordUnlinked in kinds:
        await _unlink(tx, after, events)
    await _run(tx, HOLD, _held(events))
    await _run(tx, SETTLE, _settled(after, events))
    if not kinds.isdisjoint(ledger.RARE):
        await ledger.save(tx, after, events)
    if not kinds.isdisjoint(relations.EVENTS):
        await relations.save(tx, events)
    if VersionsMissing in kinds or VersionArrived in kinds:
        await _save_missing(tx, events)
    await rates.save(tx, rates.counted(before, events), events)


async def _save_missing(tx: Transaction, events: Told) -> None:
    """What is missing now, and what came late; a version that came within the same batch was never missing."""
    missing = {(e.record_id, version) for _, e in events if isinstance(e, VersionsMissing) for version in e.versions}
    arrived = {(e.record_id, e.version) for _, e in events if isinstance(e, VersionArrived)}
    await _run(tx, MISS, missing - arrived)
    await _run(tx, ARRIVE, arrived - missing)
    await _run(tx, OVERTAKE, _overtaken(events))


async def _run(tx: Transaction, statement: str, rows: Iterable[Row]) -> None:
    """Sorted by id, so that two batches write in the same order."""
    if ordered := sorted(rows, key=lambda row: row[0]):
        await tx.execute(statement, *columns(ordered))


def _subjects(after: Mapping[bytes, Cluster], events: Told) -> Iterable[Row]:
    changed: dict[bytes, Subject] = {}
    for key, event in events:
        if isinstance(event, SubjectChanged | NameConfirmed):
            subject_id = event.subject_id if isinstance(event, NameConfirmed) else event.subject.subject_id
            changed[subject_id] = after[key].subject(subject_id)
    for s in changed.values():
        codes = json.dumps([code._asdict() for code in s.codes], ensure_ascii=False)
        yield s.subject_id, s.kind, s.name, s.named_at, s.version, codes, s.merged_into


def _aliases(after: Mapping[bytes, Cluster], events: Told) -> Iterable[Row]:
    changed: dict[bytes, Alias] = {}
    for key, event in events:
        if isinstance(event, AliasBound | AliasContested | AliasFreed):
            alias_id = event.alias.alias_id if isinstance(event, AliasBound) else event.alias_id
            changed[alias_id] = after[key].alias(alias_id, "")
    for a in changed.values():
        yield a.alias_id, a.subject_id, a.source, a.contested


def _links(
    before: Mapping[bytes, Cluster], after: Mapping[bytes, Cluster], events: Told
) -> tuple[list[Row], list[Row], list[Row]]:
    """New ones, those made anew and those that move. Versions of a record are linked in order: the last one stands."""
    last = {event.given.record_id: (key, event) for key, event in events if isinstance(event, RecordLinked)}
    new: list[Row] = []
    again: list[Row] = []
    known: list[Row] = []
    for record_id, (key, event) in last.items():
        link = event.link
        row = (record_id, link.subject_id, event.given.version, link.rule, ",".join(link.evidence), event.at_ms)
        if before[key].record(record_id).link is None:
            (again if event.link_no else new).append((*row, event.link_no) if event.link_no else row)
        elif after[key].record(record_id).link is not None:
            known.append((*row, event.link_no))
    return new, again, known


async def _save_codes(tx: Transaction, before: Mapping[bytes, Cluster], events: Told) -> None:
    """What was linked by anything but a USCC is kept, for when the code is taken back: such records are few."""
    last = {
        event.given.record_id: (key, event)
        for key, event in events
        if isinstance(event, RecordLinked) and (event.link.rule != "USCC" or event.given.version > 1)
    }
    keep: list[Row] = []
    forget: set[bytes] = set()
    for record_id, (key, event) in last.items():
        given, old = event.given, before[key].record(record_id).link
        named = given.named
        if event.link.rule != "USCC" and named.code and named.kind != "uscc" and not given.withdraws:
            keep.append((record_id, named.id, given.version, given.accepted))
        elif event.link.rule != "USCC" or (old is not None and old.rule != "USCC"):
            forget.add(record_id)
    await _run(tx, KEEP, keep)
    if forget:
        await tx.execute(FORGET, sorted(forget))


async def _unlink(tx: Transaction, after: Mapping[bytes, Cluster], events: Told) -> None:
    """Records that are nobody's now, and the versions of them that wait again."""
    free = {e.record_id: key for key, e in events if isinstance(e, RecordUnlinked)}
    gone = sorted(record_id for record_id, key in free.items() if after[key].record(record_id).link is None)
    if gone:
        await tx.execute(UNLINK, gone)
        await tx.execute(FORGET, gone)
    if free:
        places = {(e.held.given.record_id, e.held.given.version) for _, e in events if isinstance(e, RecordHeld)}
        await _run(tx, REOPEN, (place for place in places if place[0] in free))


def _held(events: Told) -> Iterable[Row]:
    """The last reason counts. Of a person nothing is kept but that the record came: it lies in ingestion's journal."""
    last = {(e.held.given.record_id, e.held.given.version): e for _, e in events if isinstance(e, RecordHeld)}
    for (record_id, version), event in last.items():
        held, given = event.held, event.held.given
        accepted = None if given.subject_kind == "person" else given.accepted
        what = (held.reason, held.alias_id, given.item, given.agency, given.named.kind, accepted)
        yield record_id, version, *what, _time(event.at_ms), held.link_no


def _overtaken(events: Told) -> Iterable[Row]:
    for _, event in events:
        if isinstance(event, RecordOvertaken):
            given = event.given
            what = (given.item, given.agency, given.named.kind)
            yield given.record_id, given.version, *what, _time(event.at_ms)


def _settled(after: Mapping[bytes, Cluster], events: Told) -> Iterable[Row]:
    for key, event in events:
        if isinstance(event, RecordLinked) and event.released:
            if after[key].in_review(event.given.record_id, event.given.version):
                continue  # it was linked, and waits again since
            yield event.given.record_id, event.given.version, "LINKED", _time(event.at_ms)
        elif isinstance(event, RecordSuperseded | RecordRejected):
            state = "SUPERSEDED" if isinstance(event, RecordSuperseded) else "REJECTED"
            yield event.record_id, event.version, state, _time(event.at_ms)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
