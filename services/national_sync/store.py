"""Loads and saves exchanges, many at a time, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.chassis.bulk import Rows, columns
from services.chassis.handling import Transaction
from services.national_sync.domain.events import Answered, Event, PushWanted
from services.national_sync.domain.exchange import Exchange

# LATERAL, so that the rows are locked in the order of the keys.
LOAD = """
SELECT e.* FROM unnest($1::bytea[]) AS k (record_id), LATERAL (
    SELECT record_id, version, item, action, state, attempt, held_version, held, link_no, nobodys
    FROM exchanges WHERE exchanges.record_id = k.record_id FOR UPDATE) AS e
"""
ROW = {
    "record_id": "bytea", "version": "bigint", "item": "text", "action": "text", "state": "text", "attempt": "int",
    "held_version": "bigint", "held": "boolean", "submission": "bytea",
}  # fmt: skip
NEW = Rows("exchanges", {**ROW, "waiting_since": "timestamptz", "changed_at": "timestamptz"})
UPDATE = """
UPDATE exchanges AS old SET version = new.version, item = new.item, action = new.action, state = new.state,
    attempt = new.attempt, held_version = new.held_version, held = new.held,
    submission = CASE WHEN new.state IN ('PENDING', 'RETRYING') THEN coalesce(new.submission, old.submission) END,
    waiting_since = CASE WHEN new.version > old.version THEN new.at ELSE old.waiting_since END, changed_at = new.at
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::boolean[],
            $9::bytea[], $10::timestamptz[])
    AS new (record_id, version, item, action, state, attempt, held_version, held, submission, at)
WHERE old.record_id = new.record_id
"""
# Of records whose link changed, after the two above, which know nothing of links: nearly all have none that did.
LINKS = """
UPDATE exchanges AS old SET link_no = new.link_no, nobodys = new.nobodys, waiting_since = new.at
FROM unnest($1::bytea[], $2::bigint[], $3::boolean[], $4::timestamptz[]) AS new (record_id, link_no, nobodys, at)
WHERE old.record_id = new.record_id
"""
ANSWER = {
    "record_id": "bytea", "version": "bigint", "attempt": "int", "verdict": "text", "code": "text", "text": "text",
    "answered_at": "timestamptz",
}  # fmt: skip
NEW_ANSWERS = Rows("answers", ANSWER)
ANSWERS = """
INSERT INTO answers SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[],
    $7::timestamptz[])
ON CONFLICT DO NOTHING
"""


async def load(tx: Transaction, record_ids: Collection[bytes]) -> dict[bytes, Exchange]:
    """States FOR UPDATE in key order: a record, its answers and its timers come in different lanes."""
    if not record_ids:
        return {}
    rows = await tx.fetch(LOAD, sorted(record_ids))
    return {row["record_id"]: Exchange(*row.values()) for row in rows}


async def save(
    tx: Transaction,
    before: Mapping[bytes, Exchange],
    after: Mapping[bytes, Exchange],
    events: Sequence[tuple[bytes, Event]],
) -> None:
    """Write the exchanges and append the answers; raises `Transient` when another lane made the same row first."""
    pushed = {key: event.submission for key, event in events if isinstance(event, PushWanted)}
    at = {key: _time(event.at_ms) for key, event in events}
    rows = {key: _row(after[key], pushed.get(key), at[key]) for key in sorted(after)}
    known = [row for key, row in rows.items() if key in before]
    new = [row for key, row in rows.items() if key not in before]
    if known:
        await tx.execute(UPDATE, *columns(known))
    # Raises when a record changed its subject and so its lane, and both versions came at once.
    await NEW.insert(tx, [(*row, row[-1]) for row in new])
    changed = [key for key in rows if after[key].link_no != (before[key].link_no if key in before else 0)]
    if changed:
        links = [(key, after[key].link_no, after[key].nobodys, at[key]) for key in changed]
        await tx.execute(LINKS, *columns(links))
    answered = [(key, event) for key, event in events if isinstance(event, Answered)]
    # An answer that moves the exchange is the first of its kind to this attempt (a law that is tested); any other may
    # have been told before.
    await NEW_ANSWERS.insert(tx, sorted(_answer(key, event) for key, event in answered if event.moves_to))
    if late := [_answer(key, event) for key, event in answered if not event.moves_to]:
        await tx.execute(ANSWERS, *columns(late))


def _row(state: Exchange, submission: bytes | None, at: datetime) -> tuple[Any, ...]:
    return (
        state.record_id,
        state.version,
        state.item,
        state.action,
        state.status,
        state.attempt,
        state.held_version,
        state.held,
        submission,
        at,
    )


def _answer(record_id: bytes, event: Answered) -> tuple[Any, ...]:
    told = (event.version, event.attempt, event.verdict, event.code, event.text)
    return record_id, *told, _time(event.at_ms)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
