"""SQL for reading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from services.chassis.handling import Transaction
from services.national_sync.domain.events import Action


class Push(NamedTuple):
    """One record that has to be pushed; `version` is the number of the push (`Exchange.number`)."""

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
    told: set[PushId]
    oldest_seconds: float


BATCH = 500
TOLD_LIMIT = 2_000  # answers told but not applied yet; with more, the lanes are behind and pushing waits for them
# By the partial index of what is pending, oldest first; joined with what was told, all that is pending would be sorted.
# NOT IN is a hash of what was told, made once.
PENDING = """
SELECT record_id, version + link_no AS version, attempt FROM exchanges
WHERE state = 'PENDING' AND record_id NOT IN (SELECT unnest($2::bytea[])) ORDER BY waiting_since LIMIT $1
"""
# `state` is looked at here and not there: the planner would walk the index of all that is pending instead of the key.
PUSHES = """
SELECT e.record_id, e.version + e.link_no AS version, e.attempt, e.item, e.action, e.submission, e.state
FROM unnest($1::bytea[]) AS k (record_id) JOIN exchanges AS e USING (record_id)
"""
STATES = """
SELECT e.record_id, e.version + e.link_no AS version, e.attempt, e.state
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
FROM exchanges WHERE version > 0 GROUP BY item, state ORDER BY item, state
"""
EXCHANGE = """
SELECT record_id, version, item, action, state, attempt, held, changed_at, link_no, nobodys
FROM exchanges WHERE record_id = $1 AND version > 0
"""
ANSWERS = """
SELECT version, attempt, verdict, code, text, answered_at
FROM answers WHERE record_id = $1 ORDER BY version, attempt, answered_at LIMIT 1000
"""


async def look(tx: Transaction, told: Collection[PushId]) -> Looked:
    """What waits to be pushed, the oldest first, without records whose answer is told and not known to be applied.

    Whether it is applied is asked when that many are told that there is no room for another batch, and when nothing
    more waits; asked each time, it cost more than finding what is to be pushed. So a new version of a record may wait
    for the answer to the one before, for a few looks.
    """
    left = set(told)
    if len(left) > TOLD_LIMIT - BATCH:
        left = await _not_applied(tx, left)
    limit = max(0, min(BATCH, TOLD_LIMIT - len(left)))
    wanted = [_id(row) for row in await tx.fetch(PENDING, limit, [push[0] for push in left])] if limit else []
    if left and len(wanted) < limit:
        left = await _not_applied(tx, left)
    found = {_id(push): Push(*push) for *push, _ in await _pending(tx, PUSHES, wanted)}
    pushes = [found[push] for push in wanted if push in found]  # what moved on meanwhile comes with the next look
    return Looked(pushes, left, float(await tx.fetchval(OLDEST)))


async def _not_applied(tx: Transaction, told: set[PushId]) -> set[PushId]:
    return told.intersection(map(_id, await _pending(tx, STATES, told)))


async def _pending(tx: Transaction, statement: str, wanted: Collection[PushId]) -> list[Any]:
    rows = await tx.fetch(statement, sorted(push[0] for push in wanted)) if wanted else []
    return [row for row in rows if row["state"] == "PENDING"]


def _id(row: Any) -> PushId:
    record_id, version, attempt, *_ = row
    return record_id, version, attempt


async def counts(tx: Transaction) -> Sequence[Any]:
    """Exchanges by item and state, and how many of them the platform holds; the whole table is read."""
    await tx.execute(WHOLE)
    return await tx.fetch(COUNTS)


async def exchange(tx: Transaction, record_id: bytes) -> tuple[Any | None, Sequence[Any]]:
    """One exchange and its answers."""
    return await tx.fetchrow(EXCHANGE, record_id), await tx.fetch(ANSWERS, record_id)


# What reconciliation compares (chassis/digest.py).
DIGESTS = {"exchanges": "SELECT record_id, version, item FROM exchanges WHERE version > 0"}
