"""Versions that have not come although a later one of their record has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Record
from services.identity.domain.events import VersionArrived, VersionsMissing
from services.identity.domain.records import RecordSeen
from services.identity.store.found import Found
from services.identity.store.reviews import OVERTAKE, REJECTED, overtaken
from services.identity.store.writing import Told, write

MISSING = """
SELECT record_id, version FROM missing_versions WHERE record_id = ANY($1::bytea[]) ORDER BY record_id, version
"""
MISS = "INSERT INTO missing_versions SELECT * FROM unnest($1::bytea[], $2::bigint[])"
ARRIVE = """
DELETE FROM missing_versions AS old USING unnest($1::bytea[], $2::bigint[]) AS new (record_id, version)
WHERE old.record_id = new.record_id AND old.version = new.version
"""


async def load_missing(tx: Transaction, found: Found, given: Sequence[RecordSeen]) -> None:
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


async def save_missing(tx: Transaction, events: Told) -> None:
    """What is missing now, and what came late; a version that came within the same batch was never missing."""
    missing = {(e.record_id, version) for _, e in events if isinstance(e, VersionsMissing) for version in e.versions}
    arrived = {(e.record_id, e.version) for _, e in events if isinstance(e, VersionArrived)}
    await write(tx, MISS, missing - arrived)
    await write(tx, ARRIVE, arrived - missing)
    await write(tx, OVERTAKE, overtaken(events))
