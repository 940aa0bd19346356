"""Codes and whose they are: placed, locked, read and written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.neighbours import alias_kinds
from services.identity.domain.records import RecordSeen
from services.identity.domain.subject_events import AliasBound, AliasContested, AliasFreed
from services.identity.domain.subjects import Alias
from services.identity.store.found import Found, ReadHeld
from services.identity.store.reviews import load_queues
from services.identity.store.writing import Row, Told

PLACE_ALIASES = """
INSERT INTO aliases (alias_id, kind)
SELECT * FROM unnest($1::bytea[], $2::text[]) AS new (alias_id, kind) ORDER BY alias_id ON CONFLICT DO NOTHING
"""
LOCK_ALIASES = """
SELECT alias_id, kind, subject_id, source, contested FROM aliases
WHERE alias_id = ANY($1::bytea[]) ORDER BY alias_id FOR UPDATE
"""
SAVE_ALIASES = """
UPDATE aliases AS old SET subject_id = new.subject_id, source = new.source, contested = new.contested
FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::boolean[]) AS new (alias_id, subject_id, source, contested)
WHERE old.alias_id = new.alias_id
"""


async def lock_aliases(
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
        found.held = await load_queues(tx, given, read_held, freed, reviewed)
        everything = [*given, *(held.given for queue in found.held.values() for held in queue)]
        kinds = dict.fromkeys(freed, "") | alias_kinds([*everything, *found.by_code.values()])
        missing = sorted(kinds.keys() - found.aliases.keys())
        if not missing:
            return everything
        await tx.execute(PLACE_ALIASES, missing, [kinds[alias_id] for alias_id in missing])
        for row in await tx.fetch(LOCK_ALIASES, missing):
            found.aliases[row["alias_id"]] = Alias(*row.values())


def changed_aliases(after: Mapping[bytes, Cluster], events: Told) -> Iterable[Row]:
    """The codes that had an event, each once, as they are now."""
    changed: dict[bytes, Alias] = {}
    for key, event in events:
        if isinstance(event, AliasBound | AliasContested | AliasFreed):
            alias_id = event.alias.alias_id if isinstance(event, AliasBound) else event.alias_id
            changed[alias_id] = after[key].alias(alias_id, "")
    for a in changed.values():
        yield a.alias_id, a.subject_id, a.source, a.contested
