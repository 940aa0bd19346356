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
from services.identity.domain.deciding import alone
from services.identity.domain.events import Alias, Code, Held, Link, RecordSeen, Subject
from services.identity.domain.ledger import NOTHING, Ledger
from services.identity.domain.neighbours import Groups, alias_kinds, confirmed, naming, renewed, subject_ids, touched
from services.identity.domain.orders import Asked, ClaimAsked, DecideAsked
from services.identity.domain.terms import BY_PERSON, MAPPING
from services.identity.store import ledger, locks, relations

WHOLE = b"whole"  # the key of the one cluster of a batch that is alone
ReadHeld = Callable[[Sequence[bytes]], Awaitable[Sequence[RecordSeen]]]
Loaded = tuple[dict[bytes, bytes], dict[bytes, Cluster]]
T = TypeVar("T")

HELD = """
WITH asked AS (
    SELECT unnest($1::bytea[]) AS record_id
    UNION SELECT record_id FROM reviews WHERE state = 'WAITING' AND alias_id = ANY($2::bytea[]))
SELECT record_id, version, reason, alias_id, item, agency, accepted, link_no FROM reviews JOIN asked USING (record_id)
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
SELECT subject_id, kind, name, named_at, version, codes, merged_into FROM subjects
WHERE subject_id = ANY($1::bytea[]) ORDER BY subject_id FOR UPDATE
"""
KNOWN_SUBJECTS = """
SELECT subject_id, kind, name, named_at, version, codes, merged_into FROM subjects
WHERE subject_id = ANY($1::bytea[]) AND version > 0
"""
LINKS = """
SELECT l.record_id, l.subject_id, l.version, l.rule, l.evidence, l.link_no
FROM unnest($1::bytea[]) AS k (record_id) JOIN record_links AS l USING (record_id)
"""
MISSING = """
SELECT record_id, version FROM missing_versions WHERE record_id = ANY($1::bytea[]) ORDER BY record_id, version
"""
REJECTED = """
SELECT record_id, max(version) AS version, max(link_no) AS link_no FROM reviews
WHERE state = 'REJECTED' AND record_id = ANY($1::bytea[]) GROUP BY record_id ORDER BY record_id
"""
LINKED_BY = "SELECT record_id, accepted FROM code_links WHERE alias_id = ANY($1::bytea[]) ORDER BY record_id"
LINKED_AS = "SELECT record_id, accepted FROM code_links WHERE record_id = ANY($1::bytea[]) ORDER BY record_id"
NOBODY = Reference("", "", b"", "CODE_KIND_UNKNOWN")


@dataclass(slots=True)
class Found:
    """What has been loaded so far."""

    held: dict[bytes, tuple[Held, ...]] = field(default_factory=dict[bytes, tuple[Held, ...]])
    aliases: dict[bytes, Alias] = field(default_factory=dict[bytes, Alias])
    subjects: dict[bytes, Subject] = field(default_factory=dict[bytes, Subject])
    records: dict[bytes, Record] = field(default_factory=dict[bytes, Record])
    ledger: Ledger = NOTHING
    by_code: dict[bytes, RecordSeen] = field(default_factory=dict[bytes, RecordSeen])


async def load(tx: Transaction, seen: Sequence[RecordSeen], orders: Sequence[Asked], read_held: ReadHeld) -> Loaded:
    """The cluster of each record or order, and the clusters; there is one for all in a batch that is alone."""
    if not (seen or orders):
        return {}, {}
    found = Found()
    by_itself = bool(orders) or any(map(alone, seen))
    await locks.enter(tx, by_itself)
    if by_itself:
        return await _load_alone(tx, found, seen, orders, read_held)
    everything = await _lock_aliases(tx, found, seen, read_held)
    await _load_rest(tx, found, seen, everything, set(), read_held)
    if any(held.link_no for queue in found.held.values() for held in queue):
        found.ledger = Ledger(await tx.fetchval(ledger.NUMBER))
    return _cut(found, everything)


async def _load_alone(
    tx: Transaction, found: Found, seen: Sequence[RecordSeen], orders: Sequence[Asked], read_held: ReadHeld
) -> Loaded:
    """Also the records that a code linked which may be taken back, and all of the subjects that orders name."""
    found.ledger = await ledger.load(tx, seen, orders)
    codes = {mapped.alias_id for mapped in found.ledger.mappings.values()}
    codes |= {claim.alias.id for one in seen if one.item == MAPPING for claim in one.claims}
    linked = await _linked(tx, found, LINKED_BY, codes, read_held)
    reviewed = {one.record_id for one in orders if isinstance(one, ClaimAsked | DecideAsked)}
    reviewed |= {one.record_id for one in linked}
    everything = await _lock_aliases(tx, found, seen, read_held, codes, reviewed)
    everything += linked
    subjects = ledger.named(orders) | {mapped.subject_id for mapped in found.ledger.mappings.values()}
    subjects |= found.ledger.members.keys()
    await _load_rest(tx, found, seen, everything, subjects, read_held)
    whole = Cluster(found.subjects, found.aliases, found.records, found.ledger)
    keys = [one.record_id for one in everything] + [one.order.command_id.encode() for one in orders]
    return dict.fromkeys(keys, WHOLE), {WHOLE: whole}


async def _load_rest(
    tx: Transaction,
    found: Found,
    seen: Sequence[RecordSeen],
    everything: Sequence[RecordSeen],
    subjects: set[bytes],
    read_held: ReadHeld,
) -> None:
    await _load_subjects(tx, found, everything, subjects)
    await _load_records(tx, found, {one.record_id for one in everything})
    await _load_by_person(tx, found, read_held)
    found.records |= await relations.load(tx, everything, found.records)
    await _load_standing(tx, found)
    await _load_missing(tx, found, seen)


async def _linked(
    tx: Transaction, found: Found, statement: str, wanted: Collection[bytes], read_held: ReadHeld
) -> list[RecordSeen]:
    """The newest linked versions of records that were not named by a USCC."""
    rows = await tx.fetch(statement, sorted(wanted)) if wanted else ()
    linked = list(await read_held([row["accepted"] for row in rows]))
    found.by_code |= {one.record_id: one for one in linked}
    return linked


async def _load_by_person(tx: Transaction, found: Found, read_held: ReadHeld) -> None:
    """About which code a person decided, of the records that a person linked."""
    records = found.records
    wanted = [key for key, record in records.items() if record.link is not None and record.link.rule == BY_PERSON]
    await _linked(tx, found, LINKED_AS, wanted, read_held)
    for record_id, by_code in found.by_code.items():
        if record_id in records and records[record_id].link is not None:
            records[record_id] = records[record_id]._replace(by_code=by_code)


async def _load_standing(tx: Transaction, found: Found) -> None:
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


async def _lock_aliases(
    tx: Transaction,
    found: Found,
    given: Sequence[RecordSeen],
    read_held: ReadHeld,
    freed: Collection[bytes] = (),
    reviewed: Collection[bytes] = (),
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
        found.held = await _held(tx, given, read_held, freed, reviewed)
        everything = [*given, *(held.given for queue in found.held.values() for held in queue)]
        kinds = dict.fromkeys(freed, "") | alias_kinds([*everything, *found.by_code.values()])
        missing = sorted(kinds.keys() - found.aliases.keys())
        if not missing:
            return everything
        await tx.execute(PLACE_ALIASES, missing, [kinds[alias_id] for alias_id in missing])
        for row in await tx.fetch(LOCK_ALIASES, missing):
            found.aliases[row["alias_id"]] = Alias(*row.values())


async def _held(
    tx: Transaction,
    given: Sequence[RecordSeen],
    read_held: ReadHeld,
    freed: Collection[bytes],
    reviewed: Collection[bytes],
) -> dict[bytes, tuple[Held, ...]]:
    """The queues in review: of these records, and of all that wait for a code or a name that these bring."""
    brought = {claim.alias.id for one in given for claim in one.claims} | naming(given) | set(freed)
    rows = await tx.fetch(HELD, list({*(one.record_id for one in given), *reviewed}), list(brought))
    kept = [row for row in rows if row["accepted"] is not None]
    read = {(one.record_id, one.version): one for one in await read_held([row["accepted"] for row in kept])}
    queues: dict[bytes, list[Held]] = defaultdict(list)
    for row in rows:
        seen = read.get((row["record_id"], row["version"])) or _person(row)
        queues[row["record_id"]].append(Held(seen, row["reason"], row["alias_id"], row["link_no"]))
    return {record_id: tuple(queue) for record_id, queue in queues.items()}


def _person(row: Mapping[str, Any]) -> RecordSeen:
    """A version about a person, of which the bytes were not kept: it can only wait or be superseded."""
    names = (row["record_id"], row["version"], row["item"], "report", row["agency"])
    return RecordSeen(*names, "person", NOBODY, "", 0, 0, b"", 0)


async def _load_subjects(tx: Transaction, found: Found, everything: Sequence[RecordSeen], changed: set[bytes]) -> None:
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


async def _load_records(tx: Transaction, found: Found, wanted: Collection[bytes]) -> None:
    links = {row["record_id"]: row for row in await tx.fetch(LINKS, list(wanted))}
    for record_id in wanted:
        row, queue = links.get(record_id), found.held.get(record_id, ())
        version = max([0 if row is None else row["version"], *(held.given.version for held in queue)])
        link = None if row is None else Link(row["subject_id"], row["rule"], tuple(row["evidence"].split(",")))
        if version:
            linked = 0 if row is None else row["version"]
            link_no = max([0 if row is None else row["link_no"], *(held.link_no for held in queue)])
            found.records[record_id] = Record(record_id, version, link, queue, linked, (), link_no)


async def _load_missing(tx: Transaction, found: Found, given: Sequence[RecordSeen]) -> None:
    """Asked only of records of which a version comes that is not newer than all, or is not the first: nearly never."""
    known = found.records
    if strange := sorted({one.record_id for one in given if one.version > 1 and one.record_id not in known}):
        for record_id, version, link_no in await tx.fetch(REJECTED, strange):
            known[record_id] = Record(record_id, version, link_no=link_no)
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
    for record in found.records.values():
        if record.link is not None:
            groups.join((record.record_id, record.link.subject_id))
    for subject in found.subjects.values():
        if subject.merged_into is not None:
            groups.join((subject.subject_id, subject.merged_into))
    subjects = _by_group(groups, found.subjects)
    aliases = _by_group(groups, found.aliases)
    records = _by_group(groups, found.records)
    cluster_of = {one.record_id: groups.of(one.record_id) for one in everything}
    empty: dict[bytes, Any] = {}
    clusters = {
        key: Cluster(subjects.get(key, empty), aliases.get(key, empty), records.get(key, empty), found.ledger)
        for key in set(cluster_of.values())
    }
    return cluster_of, clusters


def _by_group(groups: Groups, rows: Mapping[bytes, T]) -> dict[bytes, dict[bytes, T]]:
    cut: dict[bytes, dict[bytes, T]] = defaultdict(dict)
    for one, row in rows.items():
        cut[groups.of(one)][one] = row
    return cut
