"""Records: one query to load, COPY or unnest to save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.chassis.bulk import Rows, columns
from services.chassis.handling import Transaction
from services.ingestion.domain.events import RecordAccepted, RecordEvent
from services.ingestion.domain.record import Record
from services.ingestion.domain.submission import RecordKey

# LATERAL, so that the rows are locked in the order of the keys.
LOAD = """
SELECT r.agency, r.item, r.record_no, r.version, r.content, r.produced_at, r.withdrawn, r.seen
FROM unnest($1::text[], $2::text[], $3::text[]) AS u (agency, item, record_no), LATERAL (
    SELECT * FROM records WHERE records.agency = u.agency AND records.item = u.item
      AND records.record_no = u.record_no LIMIT 1 FOR UPDATE) AS r
"""

TYPES = {
    "agency": "text", "item": "text", "record_no": "text", "version": "int", "withdrawn": "bool",
    "produced_at": "bigint", "accepted_at": "bigint", "item_version": "int", "schema_id": "int", "record_id": "bytea",
    "content": "bytea", "seen": "bytea", "submission": "bytea",
}  # fmt: skip
COLUMNS = tuple(TYPES)
ARRAYS = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(TYPES.values(), 1))
# An agency whose clients disagree on partitions may send one record_no down two lanes: then it is Transient.
NEW = Rows("records", TYPES)
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
    rows = await tx.fetch(LOAD, *columns(sorted(set(keys))))
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
    await NEW.insert(tx, new)
    if known:
        await tx.execute(CHANGE, *columns(known))
    if remembered:
        await tx.execute(REMEMBER, *columns(remembered))


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
