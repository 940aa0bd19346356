"""SQL for reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from services.chassis import lanes
from services.chassis.handling import Transaction
from services.chassis.lanes import LaneId
from services.national_sync.domain.events import Action


class Push(NamedTuple):
    """One record that has to be pushed; `version` is the number of the push (`Exchange.number`)."""

    record_id: bytes
    version: int
    attempt: int
    item: str
    action: Action
    submission: bytes

    @property
    def id(self) -> PushId:
        """What tells this push apart."""
        return self.record_id, self.version, self.attempt


PushId = tuple[bytes, int, int]


class Telling(NamedTuple):
    """Answers that were published in one go; `ends`: how far a lane is that has read them all."""

    pushes: frozenset[PushId]
    ends: Mapping[LaneId, int]
    at_ms: int


class Looked(NamedTuple):
    """One look at the ledger; `told`: what the lanes have not read yet."""

    pushes: list[Push]
    told: list[Telling]
    oldest_seconds: float


BATCH = 1_000
TOLD_LIMIT = 4_000  # answers told but not applied yet; with more, the lanes are behind and pushing waits for them
# By the partial index of what is pending, oldest first; joined with what was told, all that is pending would be sorted.
# NOT IN is a hash of what was told, made once.
PENDING = """
SELECT record_id, version + link_no, attempt, item, action, submission FROM exchanges
WHERE state = 'PENDING' AND record_id NOT IN (SELECT unnest($2::bytea[])) ORDER BY waiting_since LIMIT $1
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


async def look(tx: Transaction, told: Iterable[Telling], apart: Collection[PushId]) -> Looked:
    """What waits to be pushed, the oldest first, without the records `apart` and those whose answer is yet to be read.

    What the lanes have read is seen by how far they are, one row per lane. Asked record by record, it cost more than
    all else here (16 us of 55 per record). The lanes are asked before the ledger: what was read is applied in what is
    seen of the ledger, unless it was parked or did not count.
    """
    read = await lanes.next_offsets(tx)
    left = [telling for telling in told if any(read.get(lane, -1) < end for lane, end in telling.ends.items())]
    waiting = [push[0] for telling in left for push in telling.pushes]
    limit = max(0, min(BATCH, TOLD_LIMIT - len(waiting)))
    rows = await tx.fetch(PENDING, limit, waiting + [push[0] for push in apart]) if limit else []
    return Looked([Push(*row) for row in rows], left, float(await tx.fetchval(OLDEST)))


async def counts(tx: Transaction) -> Sequence[Any]:
    """Exchanges by item and state, and how many of them the platform holds; the whole table is read."""
    await tx.execute(WHOLE)
    return await tx.fetch(COUNTS)


async def exchange(tx: Transaction, record_id: bytes) -> tuple[Any | None, Sequence[Any]]:
    """One exchange and its answers."""
    return await tx.fetchrow(EXCHANGE, record_id), await tx.fetch(ANSWERS, record_id)


# What reconciliation compares (chassis/digest.py).
DIGESTS = {"exchanges": "SELECT record_id, version, item FROM exchanges WHERE version > 0"}
