"""SQL for reading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from services.chassis.handling import Transaction
from services.national_sync.domain.events import Action


class Push(NamedTuple):
    """One record that has to be pushed."""

    record_id: bytes
    version: int
    attempt: int
    item: str
    action: Action
    submission: bytes


PushId = tuple[bytes, int, int]


class Looked(NamedTuple):
    """One look at the ledger."""

    pushes: list[Push]
    still_pending: set[PushId]
    oldest_seconds: float


PENDING = """
SELECT record_id, version, attempt, item, action, submission FROM exchanges AS e
WHERE state = 'PENDING' AND NOT EXISTS (
    SELECT FROM unnest($1::bytea[], $2::bigint[], $3::int[]) AS told (record_id, version, attempt)
    WHERE told.record_id = e.record_id AND told.version = e.version AND told.attempt = e.attempt)
ORDER BY waiting_since LIMIT $4
"""
STILL_PENDING = """
SELECT e.record_id, e.version, e.attempt
FROM exchanges AS e JOIN unnest($1::bytea[], $2::bigint[], $3::int[]) AS told (record_id, version, attempt)
    USING (record_id, version, attempt)
WHERE e.record_id = ANY($1::bytea[]) AND e.state = 'PENDING'
"""
OLDEST = """
SELECT coalesce(extract(epoch FROM now() - min(waiting_since)), 0)::float8
FROM exchanges WHERE state IN ('PENDING', 'RETRYING')
"""
COUNTS = """
SELECT item, state, count(*) AS exchanges, count(*) FILTER (WHERE held) AS held
FROM exchanges GROUP BY item, state ORDER BY item, state
"""
EXCHANGE = """
SELECT record_id, version, item, action, state, attempt, held, changed_at FROM exchanges WHERE record_id = $1
"""
ANSWERS = """
SELECT version, attempt, verdict, code, text, answered_at
FROM answers WHERE record_id = $1 ORDER BY version, attempt, answered_at LIMIT 1000
"""


def _columns(ids: Collection[PushId]) -> tuple[list[bytes], list[int], list[int]]:
    return [i[0] for i in ids], [i[1] for i in ids], [i[2] for i in ids]


async def look(tx: Transaction, told: Collection[PushId], limit: int) -> Looked:
    """What waits to be pushed, the oldest first, without the pushes whose answers are told but not applied yet."""
    columns = _columns(told)
    still = await tx.fetch(STILL_PENDING, *columns) if told else []
    return Looked(
        [Push(*row.values()) for row in await tx.fetch(PENDING, *columns, limit)] if limit else [],
        {(row["record_id"], row["version"], row["attempt"]) for row in still},
        float(await tx.fetchval(OLDEST)),
    )


async def counts(tx: Transaction) -> Sequence[Any]:
    """Exchanges by item and state, and how many of them the platform holds."""
    return await tx.fetch(COUNTS)


async def exchange(tx: Transaction, record_id: bytes) -> tuple[Any | None, Sequence[Any]]:
    """One exchange and its answers."""
    return await tx.fetchrow(EXCHANGE, record_id), await tx.fetch(ANSWERS, record_id)


# What reconciliation compares (chassis/digest.py).
DIGESTS = {"exchanges": "SELECT record_id, version, item FROM exchanges"}
