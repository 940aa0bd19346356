"""Parked messages: kept with bytes, headers and reason; later ones of the same key wait behind (architecture §3.3).

A place is topic, partition and offset. A timer has no offset; once parked it has a place below -1, which it keeps when
it is taken up and parked again. In a lane timers come first, as they were parked: a timer waits for no message.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from services.chassis.handling import Transaction
from services.chassis.lanes import LaneId
from services.chassis.message import Message
from services.chassis.timers import RUNNING

BEHIND = "BEHIND_PARKED"
CRASHED = "CRASHED"


class Parked(NamedTuple):
    """A message that is put aside and why."""

    message: Message
    code: str
    detail: str


PUT = """
INSERT INTO parked (topic, partition, "offset", key, value, headers, message_at, code, detail, parked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""

# The lane's row is held by the turn that parks, so nobody else gives a place in it.
GIVE_PLACES = """
UPDATE lanes SET timer_place = lanes.timer_place - u.timers
FROM unnest($1::text[], $2::int[], $3::int[]) AS u (topic, partition, timers)
WHERE lanes.topic = u.topic AND lanes.partition = u.partition
RETURNING lanes.topic, lanes.partition, lanes.timer_place
"""

# A released key takes everything parked under it along, also what came after the operator's command.
TAKE = """
DELETE FROM parked USING (
    SELECT topic, partition, "offset" FROM parked AS p
    WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[])) AND discarded_at IS NULL
      AND (released_at IS NOT NULL
           OR key <> '' AND EXISTS (SELECT FROM parked AS r WHERE r.topic = p.topic AND r.partition = p.partition
                                    AND r.key = p.key AND r.released_at IS NOT NULL))
    ORDER BY topic, partition, "offset" >= 0, abs("offset") LIMIT $3
) AS due
WHERE parked.topic = due.topic AND parked.partition = due.partition AND parked."offset" = due."offset"
RETURNING parked.topic, parked.partition, parked."offset", parked.key, parked.value, parked.headers, parked.message_at
"""
# The limit has cut through a key whose last marked message was taken: what is left of it is released as well.
RELEASE_REST = """
UPDATE parked SET released_at = $4 FROM unnest($1::text[], $2::int[], $3::bytea[]) AS taken (topic, partition, key)
WHERE parked.topic = taken.topic AND parked.partition = taken.partition AND parked.key = taken.key
  AND parked.key <> '' AND parked.released_at IS NULL
"""

# A message of the key was parked again, and the limit has cut through it: the rest waits behind it, as it would have if
# it had been taken along. Left released it would take the first one up again, in each turn anew.
PARK_REST = """
UPDATE parked SET released_at = NULL, code = $5, detail = '', parked_at = $4
FROM unnest($1::text[], $2::int[], $3::bytea[]) AS again (topic, partition, key)
WHERE parked.topic = again.topic AND parked.partition = again.partition AND parked.key = again.key
  AND parked.key <> '' AND parked.released_at IS NOT NULL AND parked.discarded_at IS NULL
"""

# Of a message that is thrown away everything is kept but what it said.
TAKE_DISCARDED = """
WITH due AS (
    SELECT topic, partition, "offset" FROM parked
    WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[])) AND discarded_at IS NOT NULL
    ORDER BY topic, partition, "offset" >= 0, abs("offset") LIMIT $3),
gone AS (
    DELETE FROM parked USING due
    WHERE parked.topic = due.topic AND parked.partition = due.partition AND parked."offset" = due."offset"
    RETURNING parked.*),
kept AS (
    INSERT INTO discarded
        (topic, partition, "offset", code, message_at, parked_at, discarded_at, command_id, value_hash)
    SELECT topic, partition, "offset", code, message_at, parked_at, $4, discarded_by, sha256(coalesce(value, ''))
    FROM gone)
SELECT topic, partition, "offset", key, value, headers, message_at FROM gone
"""
TAKE_BACK = """
DELETE FROM parked USING (
    SELECT topic, partition, "offset" FROM parked
    WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[])) AND discarded_at IS NOT NULL
    ORDER BY topic, partition, "offset" >= 0, abs("offset") LIMIT $3
) AS due
WHERE parked.topic = due.topic AND parked.partition = due.partition AND parked."offset" = due."offset"
RETURNING parked.topic, parked.partition, parked."offset", parked.key, parked.value, parked.headers, parked.message_at
"""


async def put(tx: Transaction, parked: Sequence[Parked], now_ms: int) -> None:
    """Park messages in the batch's own transaction."""
    placed = await _with_places(tx, parked)
    await tx.executemany(PUT, [_row(p, time_of(now_ms)) for p in placed])


async def _with_places(tx: Transaction, parked: Sequence[Parked]) -> Sequence[Parked]:
    """Timers that are parked for the first time get their places, in order."""
    new = Counter(LaneId(p.message.topic, p.message.partition) for p in parked if p.message.offset == RUNNING)
    if not new:
        return parked
    rows = await tx.fetch(GIVE_PLACES, [i.topic for i in new], [i.partition for i in new], [*new.values()])
    last = {LaneId(row["topic"], row["partition"]): row["timer_place"] for row in rows}
    free = {lane: iter(range(last[lane] + count - 1, last[lane] - 1, -1)) for lane, count in new.items()}
    return [_with_place(p, free) for p in parked]


def _with_place(parked: Parked, free: Mapping[LaneId, Iterator[int]]) -> Parked:
    message = parked.message
    if message.offset != RUNNING:
        return parked
    place = next(free[LaneId(message.topic, message.partition)])
    return parked._replace(message=message._replace(offset=place))


def _row(parked: Parked, now: datetime) -> tuple[object, ...]:
    m = parked.message
    headers = json.dumps([[name, value.hex()] for name, value in m.headers])
    sent = time_of(m.timestamp_ms)
    return (m.topic, m.partition, m.offset, m.key, m.value, headers, sent, parked.code, parked.detail, now)


async def take_released(tx: Transaction, lanes: Sequence[LaneId], now_ms: int, limit: int) -> list[Message]:
    """Remove and return what an operator has released in these lanes, in order."""
    rows = await tx.fetch(TAKE, [lane.topic for lane in lanes], [lane.partition for lane in lanes], limit)
    if len(rows) == limit:
        taken = sorted({(row["topic"], row["partition"], row["key"]) for row in rows})
        await tx.execute(RELEASE_REST, *map(list, zip(*taken, strict=True)), time_of(now_ms))
    return _messages(rows)


async def take_discarded(tx: Transaction, lanes: Sequence[LaneId], now_ms: int, limit: int) -> list[Message]:
    """Remove and return what an operator has thrown away in these lanes, and keep that it was."""
    places = [lane.topic for lane in lanes], [lane.partition for lane in lanes]
    return _messages(await tx.fetch(TAKE_DISCARDED, *places, limit, time_of(now_ms)))


async def take_back(tx: Transaction, lanes: Sequence[LaneId], now_ms: int, limit: int) -> list[Message]:
    """The same of what cannot be thrown away: it is not kept that it was, and is to be parked again."""
    return _messages(
        await tx.fetch(TAKE_BACK, [lane.topic for lane in lanes], [lane.partition for lane in lanes], limit)
    )


async def park_rest(tx: Transaction, again: Iterable[Message], now_ms: int) -> None:
    """What is still released of these messages' keys waits behind them; they are parked again themselves."""
    keys = sorted({(m.topic, m.partition, m.key) for m in again if m.key})
    if keys:
        await tx.execute(PARK_REST, *map(list, zip(*keys, strict=True)), time_of(now_ms), BEHIND)


def _messages(rows: Iterable[Any]) -> list[Message]:
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
        for row in sorted(rows, key=_in_order)
    ]


def _in_order(row: Any) -> tuple[str, int, bool, int]:
    return row["topic"], row["partition"], row["offset"] >= 0, abs(row["offset"])


async def keys(tx: Transaction, lane: LaneId) -> set[bytes]:
    """The keys of a lane that have something parked."""
    rows = await tx.fetch("SELECT DISTINCT key FROM parked WHERE topic = $1 AND partition = $2", *lane)
    return {row["key"] for row in rows}


async def count(tx: Transaction) -> int:
    """How many messages are parked in this store."""
    return int(await tx.fetchval("SELECT count(*) FROM parked"))


def time_of(at_ms: int) -> datetime:
    """Milliseconds since 1970 as a time."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
