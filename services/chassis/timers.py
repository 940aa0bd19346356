"""Timers: rows owned by the lane that set them, fired as inputs in that lane (architecture §3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.chassis.handling import Transaction
from services.chassis.lanes import LaneId
from services.chassis.message import Message, Timer

RUNNING = -1  # the offset of a timer that is not parked; a parked one has a place below it (parking.py)

SET = """
INSERT INTO timers (topic, partition, kind, key, due_at, body)
SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::bytea[], $5::timestamptz[], $6::bytea[])
ON CONFLICT (topic, partition, kind, key) DO UPDATE SET due_at = excluded.due_at, body = excluded.body
"""

# The order is total: a replay takes what the turn took, also when a limit cuts through timers of one moment.
TAKE = """
DELETE FROM timers USING (
    SELECT topic, partition, kind, key FROM timers
    WHERE due_at <= $3 AND (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
    ORDER BY due_at, key, topic, partition, kind LIMIT $4
) AS due
WHERE timers.topic = due.topic AND timers.partition = due.partition
  AND timers.kind = due.kind AND timers.key = due.key
RETURNING timers.topic, timers.partition, timers.kind, timers.key, timers.body, timers.due_at
"""

WAITING = """
SELECT DISTINCT topic, partition FROM timers
WHERE due_at <= $3 AND (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
"""


async def put(tx: Transaction, timers: Sequence[tuple[LaneId, Timer]]) -> None:
    """Set timers; of two with the same lane, kind and key in one batch the last one stands."""
    last = {(lane, t.kind, t.key): (lane, t) for lane, t in timers}.values()
    await tx.execute(
        SET,
        [lane.topic for lane, _ in last],
        [lane.partition for lane, _ in last],
        [t.kind for _, t in last],
        [t.key for _, t in last],
        [datetime.fromtimestamp(t.due_at_ms / 1000, UTC) for _, t in last],
        [t.body for _, t in last],
    )


async def waiting(tx: Transaction, lanes: Sequence[LaneId], now_ms: int) -> set[LaneId]:
    """Those of these lanes in which something is due."""
    places = [lane.topic for lane in lanes], [lane.partition for lane in lanes]
    rows = await tx.fetch(WAITING, *places, datetime.fromtimestamp(now_ms / 1000, UTC))
    return {LaneId(row["topic"], row["partition"]) for row in rows}


async def take(tx: Transaction, lanes: Sequence[LaneId], now_ms: int, limit: int) -> list[Message]:
    """Remove and return what is due in these lanes, the oldest first; the header `timer` holds the kind."""
    rows = await tx.fetch(
        TAKE,
        [lane.topic for lane in lanes],
        [lane.partition for lane in lanes],
        datetime.fromtimestamp(now_ms / 1000, UTC),
        limit,
    )
    return [
        Message(
            row["topic"],
            row["partition"],
            RUNNING,
            row["key"],
            row["body"],
            (("timer", row["kind"].encode()),),
            int(row["due_at"].timestamp() * 1000),
        )
        for row in sorted(rows, key=_in_order)
    ]


def _in_order(row: Any) -> tuple[datetime, bytes, str, int, str]:
    return row["due_at"], row["key"], row["topic"], row["partition"], row["kind"]
