"""Parked messages: kept with bytes, headers and reason; later ones of the same key wait behind (architecture §3.3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.chassis.handling import Transaction
from services.chassis.lanes import LaneId
from services.chassis.message import Message

BEHIND = "BEHIND_PARKED"


class Parked(NamedTuple):
    """A message that is put aside and why."""

    message: Message
    code: str
    detail: str


PUT = """
INSERT INTO parked (topic, partition, "offset", key, value, headers, message_at, code, detail, parked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# A released key takes everything parked under it along, also what came after the operator's command.
TAKE = """
DELETE FROM parked USING (
    SELECT topic, partition, "offset" FROM parked AS p
    WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
      AND EXISTS (SELECT FROM parked AS r WHERE r.topic = p.topic AND r.partition = p.partition
                  AND r.key = p.key AND r.released_at IS NOT NULL)
    ORDER BY topic, partition, "offset" LIMIT $3
) AS due
WHERE parked.topic = due.topic AND parked.partition = due.partition AND parked."offset" = due."offset"
RETURNING parked.topic, parked.partition, parked."offset", parked.key, parked.value, parked.headers, parked.message_at
"""


async def put(tx: Transaction, parked: Sequence[Parked], now_ms: int) -> None:
    """Park messages in the batch's own transaction."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    await tx.executemany(PUT, [_row(p, now) for p in parked])


def _row(parked: Parked, now: datetime) -> tuple[object, ...]:
    m = parked.message
    headers = json.dumps([[name, value.hex()] for name, value in m.headers])
    sent = datetime.fromtimestamp(m.timestamp_ms / 1000, UTC)
    return (m.topic, m.partition, m.offset, m.key, m.value, headers, sent, parked.code, parked.detail, now)


async def take_released(tx: Transaction, lanes: Sequence[LaneId], limit: int) -> list[Message]:
    """Remove and return what an operator has released in these lanes, in the order it came."""
    rows = await tx.fetch(TAKE, [lane.topic for lane in lanes], [lane.partition for lane in lanes], limit)
    return [
        Message(
            row["topic"],
            row["partition"],
            row["offset"],
            row["key"],
            row["value"],
            tuple((name, bytes.fromhex(value)) for name, value in json.loads(row["headers"])),
            int(row["message_at"].timestamp() * 1000),
        )
        for row in sorted(rows, key=lambda row: (row["topic"], row["partition"], row["offset"]))
    ]


async def keys(tx: Transaction, lane: LaneId) -> set[bytes]:
    """The keys of a lane that have something parked."""
    rows = await tx.fetch("SELECT DISTINCT key FROM parked WHERE topic = $1 AND partition = $2", *lane)
    return {row["key"] for row in rows}


async def count(tx: Transaction) -> int:
    """How many messages are parked in this store."""
    return int(await tx.fetchval("SELECT count(*) FROM parked"))


async def release(tx: Transaction, topic: str, partition: int, offset: int, now_ms: int) -> bool:
    """Mark the key of this parked message released; its lane's owner takes it up. False: nothing there."""
    status = await tx.execute(
        "UPDATE parked SET released_at = coalesce(released_at, $4) "
        'WHERE topic = $1 AND partition = $2 AND "offset" = $3',
        topic,
        partition,
        offset,
        datetime.fromtimestamp(now_ms / 1000, UTC),
    )
    return status == "UPDATE 1"
