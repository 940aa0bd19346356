"""Locks and loads what a batch of records can touch, and cuts it into clusters."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster, Record
from services.identity.domain.codes import Reference
from services.identity.domain.events import Alias, Code, Held, Link, RecordSeen, Subject
from services.identity.domain.neighbours import Groups, alias_kinds, confirmed, naming, renewed, subject_ids, touched

ReadHeld = Callable[[Sequence[bytes]], Awaitable[Sequence[RecordSeen]]]
Loaded = tuple[dict[bytes, bytes], dict[bytes, Cluster]]
T = TypeVar("T")

HELD = """
WITH asked AS (
    SELECT unnest($1::bytea[]) AS record_id
    UNION SELECT record_id FROM reviews WHERE state = 'WAITING' AND alias_id = ANY($2::bytea[]))
SELECT record_id, version, reason, alias_id, item, agency, accepted FROM reviews JOIN asked USING (record_id)
WHERE state = 'WAITING' ORDER BY record_id, version
"""
PLACE_ALIASES = """
INSERT INTO aliases (alias_id, kind)
SELECT * FROM unnest($1::bytea[], $2::text[]) AS new (alias_id, kind) ORDER BY alias_id ON CONFLICT DO NOTHING
"""
LOCK_ALIASES = """
SELECT alias_id, kind, subject_id, source, contested FROM aliases
WHERE alias_id = ANY($1::bytea[]) ORDER BY alias_id FOR UPDATE
"""
PLACE_SUBJECTS = """
INSERT INTO subjects (subject_id) SELECT id FROM unnest($1::bytea[]) AS id ORDER BY id ON CONFLICT DO NOTHING
"""
LOCK_SUBJECTS = """
SELECT subject_id, kind, name, named_at, version, codes FROM subjects
WHERE subject_id = ANY($1::bytea[]) ORDER BY subject_id FOR UPDATE
"""
KNOWN_SUBJECTS = """
SELECT subject_id, kind, name, named_at, version, codes FROM subjects
WHERE subject_id = ANY($1::bytea[]) AND version > 0
"""
LINKS = """
SELECT l.record_id, l.subject_id, l.version, l.rule, l.evidence
FROM unnest($1::bytea[]) AS k (record_id) JOIN record_links AS l USING (record_id)
"""
MISSING = """
SELECT record_id, version FROM missing_versions WHERE record_id = ANY($1::bytea[]) ORDER BY record_id, version
"""
NOBODY = Reference("", "", b"", "CODE_KIND_UNKNOWN")


@dataclass(slots=True)
class Found:
    """What has been loaded so far."""

    held: dict[bytes, tuple[Held, ...]] = field(default_factory=dict[bytes, tuple[Held, ...]])
    aliases: dict[bytes, Alias] = field(default_factory=dict[bytes, Alias])
    subjects: dict[bytes, Subject] = field(default_factory=dict[bytes, Subject])
    records: dict[bytes, Record] = field(default_factory=dict[bytes, Record])


async def load(tx: Transaction, given: Sequence[RecordSeen], read_held: ReadHeld) -> Loaded:
    """The cluster of each record, and the clusters."""
    if not given:
        return {}, {}
    found = Found()
    everything = await _lock_aliases(tx, found, given, read_held)
    await _load_subjects(tx, found, everything)
    await _load_records(tx, found, {one.record_id for one in everything})
    await _load_missing(tx, found, given)
    return _cut(found, everything)


async def _lock_aliases(
    tx: Transaction, found: Found, given: Sequence[RecordSeen], read_held: ReadHeld
) -> list[RecordSeen]:
    """Guards the race between a record that waits for a code and the mapping that brings it.

    They come in different lanes, perhaps in different processes. Without a lock the record could look up the code
    before the mapping is committed, and the mapping look for waiting records before the record is: it would wait for
    ever. So both put down the alias row (empty, if it is new) and lock it before they look. Whoever is second sees what
    the first has committed: the mapping finds the waiting record and releases it, or the record finds the code known.

    A mapping also changes records of other lanes: it takes them out of review. It may do so only under the lock of a
    code that one of their versions waits for, and the lane of such a record, having a version in review, locks
    the codes of all of them. Therefore the list is read again after each locking until it asks for no further
    code: what was read before a lock was waited for is stale.

    Rows are placed and locked in the order of their ids, aliases before subjects, so two batches cannot wait for each
    other. Only codes found in the second round can break that order; they are rare, and a deadlock is `Transient`.
    """
    while True:
        found.held = await _held(tx, given, read_held)
        everything = [*given, *(held.given for queue in found.held.values() for held in queue)]
        kinds = alias_kinds(everything)
        missing = sorted(kinds.keys() - found.aliases.keys())
        if not missing:
            return everything
        await tx.execute(PLACE_ALIASES, missing, [kinds[alias_id] for alias_id in missing])
        for row in await tx.fetch(LOCK_ALIASES, missing):
            found.aliases[row["alias_id"]] = Alias(*row.values())


async def _held(tx: Transaction, given: Sequence[RecordSeen], read_held: ReadHeld) -> dict[bytes, tuple[Held, ...]]:
    """The queues in review: of these records, and of all that wait for a code or a name that these bring."""
    brought = {claim.alias.id for one in given for claim in one.claims} | naming(given)
    rows = await tx.fetch(HELD, list({one.record_id for one in given}), list(brought))
    kept = [row for row in rows if row["accepted"] is not None]
    read = {(one.record_id, one.version): one for one in await read_held([row["accepted"] for row in kept])}
    queues: dict[bytes, list[Held]] = defaultdict(list)
    for row in rows:
        seen = read.get((row["record_id"], row["version"])) or _person(row)
        queues[row["record_id"]].append(Held(seen, row["reason"], row["alias_id"]))
    return {record_id: tuple(queue) for record_id, queue in queues.items()}


def _person(row: Mapping[str, Any]) -> RecordSeen:
    """A version about a person, of which the bytes were not kept: it can only wait or be superseded."""
    names = (row["record_id"], row["version"], row["item"], "report", row["agency"])
    return RecordSeen(*names, "person", NOBODY, "", 0, 0, b"", 0)


async def _load_subjects(tx: Transaction, found: Found, everything: Sequence[RecordSeen]) -> None:
    """Guards the race between two lanes that bring news of one subject: both lock its row.

    A record that only names a known subject brings none, and a subject that is known stays so: its row is read without
    a lock, which would be a write. That is most records. One that a name must confirm locks the row too: it and the
    registration that brings the name meet in any order, as a record and a mapping do.
    """
    bound = {alias.subject_id for alias in found.aliases.values() if alias.subject_id is not None}
    wanted, changing = subject_ids(everything) | bound, renewed(everything) | confirmed(everything, found.aliases)
    if quiet := sorted(wanted - changing):
        _found_subjects(found, await tx.fetch(KNOWN_SUBJECTS, quiet))
    if locked := sorted(wanted - found.subjects.keys()):
        await tx.execute(PLACE_SUBJECTS, locked)
        _found_subjects(found, await tx.fetch(LOCK_SUBJECTS, locked))


def _found_subjects(found: Found, rows: Iterable[Any]) -> None:
    for subject_id, kind, name, named_at, version, codes in rows:
        known = tuple(Code(**code) for code in json.loads(codes))
        found.subjects[subject_id] = Subject(subject_id, kind, name, named_at, version, known)


async def _load_records(tx: Transaction, found: Found, wanted: Collection[bytes]) -> None:
    links = {row["record_id"]: row for row in await tx.fetch(LINKS, list(wanted))}
    for record_id in wanted:
        row, queue = links.get(record_id), found.held.get(record_id, ())
        version = max([0 if row is None else row["version"], *(held.given.version for held in queue)])
        link = None if row is None else Link(row["subject_id"], row["rule"], tuple(row["evidence"].split(",")))
        if version:
            linked = 0 if row is None else row["version"]
            found.records[record_id] = Record(record_id, version, link, queue, linked)


async def _load_missing(tx: Transaction, found: Found, given: Sequence[RecordSeen]) -> None:
    """Asked only of records of which a version comes that is not newer than all: nearly never."""
    known = found.records
    late = {one.record_id for one in given if one.record_id in known and one.version <= known[one.record_id].version}
    if not late:
        return
    missing: dict[bytes, list[int]] = defaultdict(list)
    for row in await tx.fetch(MISSING, sorted(late)):
        missing[row["record_id"]].append(row["version"])
    for record_id, versions in missing.items():
        known[record_id] = known[record_id]._replace(missing=tuple(versions))


def _cut(found: Found, everything: Sequence[RecordSeen]) -> Loaded:
    groups = Groups()
    for one in everything:
        groups.join(touched(one))
    for alias in found.aliases.values():
        if alias.subject_id is not None:
            groups.join((alias.alias_id, alias.subject_id))
    subjects = _by_group(groups, found.subjects)
    aliases = _by_group(groups, found.aliases)
    records = _by_group(groups, found.records)
    cluster_of = {one.record_id: groups.of(one.record_id) for one in everything}
    empty: dict[bytes, Any] = {}
    clusters = {
        key: Cluster(subjects.get(key, empty), aliases.get(key, empty), records.get(key, empty))
        for key in set(cluster_of.values())
    }
    return cluster_of, clusters


def _by_group(groups: Groups, rows: Mapping[bytes, T]) -> dict[bytes, dict[bytes, T]]:
    cut: dict[bytes, dict[bytes, T]] = defaultdict(dict)
    for one, row in rows.items():
        cut[groups.of(one)][one] = row
    return cut
