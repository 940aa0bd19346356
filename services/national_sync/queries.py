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


# By the partial index of what is pending, oldest first; joined with what was told, all that is pending would be sorted.
PENDING = """
SELECT record_id, version, attempt FROM exchanges WHERE state = 'PENDING' ORDER BY waiting_since LIMIT $1
"""
# `state` is looked at here and not there: the planner would walk the index of all that is pending instead of the key.
PUSHES = """
SELECT e.record_id, e.version, e.attempt, e.item, e.action, e.submission, e.state
FROM unnest($1::bytea[]) AS k (record_id) JOIN exchanges AS e USING (record_id)
"""
STATES = """
SELECT e.record_id, e.version, e.attempt, e.state
FROM unnest($1::bytea[]) AS k (record_id) JOIN exchanges AS e USING (record_id)
"""
OLDEST = """
SELECT coalesce(extract(epoch FROM now() - least(
    (SELECT min(waiting_since) FROM exchanges WHERE state = 'PENDING'),
    (SELECT min(waiting_since) FROM exchanges WHERE state = 'RETRYING'))), 0)::float8
"""
WHOLE = "SET LOCAL enable_seqscan = on"
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


async def look(tx: Transaction, told: Collection[PushId], limit: int) -> Looked:
    """What waits to be pushed, the oldest first, without the pushes whose answers are told but not applied yet."""
    still = {_id(row) for row in await _pending(tx, STATES, told)}.intersection(told)
    oldest = await tx.fetch(PENDING, limit + len(still)) if limit else []
    wanted = [push for push in map(_id, oldest) if push not in told][:limit]
    found = {_id(row): Push(*(row[name] for name in Push._fields)) for row in await _pending(tx, PUSHES, wanted)}
    pushes = [found[push] for push in wanted if push in found]  # what moved on meanwhile comes with the next look
    return Looked(pushes, still, float(await tx.fetchval(OLDEST)))


async def _pending(tx: Transaction, statement: str, wanted: Collection[PushId]) -> list[Any]:
    rows = await tx.fetch(statement, sorted(record_id for record_id, _, _ in wanted)) if wanted else []
    return [row for row in rows if row["state"] == "PENDING"]


def _id(row: Any) -> PushId:
    return row["record_id"], row["version"], row["attempt"]


async def counts(tx: Transaction) -> Sequence[Any]:
    """Exchanges by item and state, and how many of them the platform holds; the whole table is read."""
    await tx.execute(WHOLE)
    return await tx.fetch(COUNTS)


async def exchange(tx: Transaction, record_id: bytes) -> tuple[Any | None, Sequence[Any]]:
    """One exchange and its answers."""
    return await tx.fetchrow(EXCHANGE, record_id), await tx.fetch(ANSWERS, record_id)


# What reconciliation compares (chassis/digest.py).
DIGESTS = {"exchanges": "SELECT record_id, version, item FROM exchanges"}
