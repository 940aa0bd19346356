"""Records: one query to load, COPY or unnest to save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.ingestion.domain.events import RecordAccepted, RecordEvent
from services.ingestion.domain.record import Record
from services.ingestion.domain.submission import RecordKey

COPY_FROM = 50  # new rows: below, one INSERT is cheaper than starting a COPY

# A partition that was empty when it was last analysed would be scanned whole for every key while an agency fills it.
# Everything here goes through the primary key, whatever the statistics say; for this transaction only.
BY_KEY = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

# LATERAL, so that the rows are locked in the order of the keys.
LOAD = """
SELECT r.agency, r.item, r.record_no, r.version, r.content, r.produced_at, r.withdrawn, r.seen
FROM unnest($1::text[], $2::text[], $3::text[]) AS u (agency, item, record_no), LATERAL (
    SELECT * FROM records WHERE records.agency = u.agency AND records.item = u.item
      AND records.record_no = u.record_no LIMIT 1 FOR UPDATE) AS r
"""

COLUMNS = (
    "agency", "item", "record_no", "version", "withdrawn", "produced_at", "accepted_at", "item_version", "schema_id",
    "record_id", "content", "seen", "submission",
)  # fmt: skip
ARRAYS = (
    "$1::text[], $2::text[], $3::text[], $4::int[], $5::bool[], $6::bigint[], $7::bigint[], $8::int[], $9::int[], "
    "$10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[]"
)
INSERT = f"INSERT INTO records ({', '.join(COLUMNS)}) SELECT * FROM unnest({ARRAYS})"  # noqa: S608 - constants above
CHANGE = f"""
UPDATE records SET {", ".join(f"{name} = u.{name}" for name in COLUMNS[3:])}
FROM unnest({ARRAYS}) AS u ({", ".join(COLUMNS)})
WHERE records.agency = u.agency AND records.item = u.item AND records.record_no = u.record_no
"""  # noqa: S608 - constants above

REMEMBER = """
UPDATE records SET seen = u.seen FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
    AS u (agency, item, record_no, seen)
WHERE records.agency = u.agency AND records.item = u.item AND records.record_no = u.record_no
"""


async def load(tx: Transaction, keys: Sequence[RecordKey]) -> dict[RecordKey, Record]:
    """The stored ones among these, locked in key order: an agency's clients may spread a key over partitions."""
    if not keys:
        return {}
    await tx.execute(BY_KEY)
    rows = await tx.fetch(LOAD, *map(list, zip(*sorted(set(keys)), strict=True)))
    return {
        (agency, item, record_no): Record(version, content, produced_at, withdrawn, seen)
        for agency, item, record_no, version, content, produced_at, withdrawn, seen in rows
    }


async def save(
    tx: Transaction,
    before: Mapping[RecordKey, Record],
    after: Mapping[RecordKey, Record],
    events: Sequence[tuple[RecordKey, RecordEvent]],
) -> None:
    """Write what changed; a row's content comes from the last accepted event of its key in this batch."""
    accepted = {key: event for key, event in events if isinstance(event, RecordAccepted)}
    changed = sorted(key for key, state in after.items() if state.version and state is not before.get(key))
    new = [_row(key, after[key], accepted[key]) for key in changed if key not in before]
    known = [_row(key, after[key], accepted[key]) for key in changed if key in before and key in accepted]
    remembered = [(*key, after[key].seen) for key in changed if key in before and key not in accepted]
    await _insert(tx, new)
    if known:
        await tx.execute(CHANGE, *map(list, zip(*known, strict=True)))
    if remembered:
        await tx.execute(REMEMBER, *map(list, zip(*remembered, strict=True)))


async def _insert(tx: Transaction, new: Sequence[tuple[object, ...]]) -> None:
    try:
        if len(new) >= COPY_FROM:
            await tx.copy_records_to_table("records", records=new, columns=COLUMNS)
        elif new:
            await tx.execute(INSERT, *map(list, zip(*new, strict=True)))
    except asyncpg.UniqueViolationError as error:
        # An agency whose clients disagree on partitions sent this record_no down two lanes: read it, decide anew.
        raise Transient("database", "record appeared meanwhile") from error


def _row(key: RecordKey, state: Record, made: RecordAccepted) -> tuple[object, ...]:
    return (
        *key,
        state.version,
        state.withdrawn,
        state.produced_at,
        made.accepted_at,
        made.item_version,
        made.schema_id,
        made.record_id,
        state.content,
        state.seen,
        made.submission,
    )
