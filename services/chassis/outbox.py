"""The outbox: one blob per lane and batch, the very bytes that are published, kept afterwards as the journal.

A blob begins with one byte that names its form. Form 1: per record batch a header of fixed layout (partition, number of
events, timestamp, lengths of topic and records), then topic and records, which are compressed already.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.chassis.handling import Transaction
from services.chassis.lanes import Lane
from services.chassis.message import Outgoing
from services.chassis.record_batch import RecordBatch

FORM = b"\x01"
BATCH = struct.Struct("<IIqHI")


class Written(NamedTuple):
    """What a lane says in one batch: the position of the first event, how many there are, and the sealed batches."""

    lane: Lane
    first_position: int
    event_count: int
    batches: Sequence[RecordBatch]


def pack(batches: Iterable[RecordBatch]) -> bytes:
    """Record batches as a blob."""
    parts = [FORM]
    for topic, partition, count, timestamp_ms, records in batches:
        name = topic.encode()
        parts += (BATCH.pack(partition, count, timestamp_ms, len(name), len(records)), name, records)
    return b"".join(parts)


def unpack(blob: bytes) -> Iterator[RecordBatch]:
    """The record batches of a blob, in the order of publishing."""
    if blob[:1] != FORM:
        raise ValueError(f"an outbox blob of unknown form {blob[:1].hex()}: it was written by another release")
    at = 1
    while at < len(blob):
        partition, count, timestamp_ms, name, records = BATCH.unpack_from(blob, at)
        at += BATCH.size
        topic, at = blob[at : at + name].decode(), at + name
        yield RecordBatch(topic, partition, count, timestamp_ms, blob[at : at + records])
        at += records


def events(blob: bytes) -> list[tuple[int, Outgoing]]:
    """(position, event) of everything in a blob, in the order in which it was said."""
    return sorted((said for batch in unpack(blob) for said in batch.events()), key=lambda said: said[0])


async def append(tx: Transaction, written: Sequence[Written], now_ms: int) -> None:
    """Store the batch's events beside the data they follow from."""
    await tx.execute(
        "INSERT INTO outbox (topic, partition, first_position, last_position, created_at, blob) "
        "SELECT t, p, f, l, $6, b FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bytea[]) "
        "AS u (t, p, f, l, b)",
        [w.lane.id.topic for w in written],
        [w.lane.id.partition for w in written],
        [w.first_position for w in written],
        [w.first_position + w.event_count - 1 for w in written],
        [pack(w.batches) for w in written],
        datetime.fromtimestamp(now_ms / 1000, UTC),
    )


async def unpublished(tx: Transaction, lane: Lane) -> list[Written]:
    """What this lane has said but may not have published, oldest first."""
    rows = await tx.fetch(
        "SELECT first_position, last_position, blob FROM outbox "
        "WHERE topic = $1 AND partition = $2 AND last_position > $3 ORDER BY last_position",
        lane.id.topic,
        lane.id.partition,
        lane.published,
    )
    return [
        Written(lane, row["first_position"], row["last_position"] - row["first_position"] + 1, [*unpack(row["blob"])])
        for row in rows
    ]


def month_of(now_ms: int) -> tuple[int, int]:
    """Year and month, UTC."""
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    return at.year, at.month


async def open_months(tx: Transaction, now_ms: int) -> None:
    """Make the partitions of the outbox and of the turns for this month and the next two."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('outbox months'))")  # processes start together
    today = datetime.fromtimestamp(now_ms / 1000, UTC)
    for ahead in range(3):
        begin, end = _month(today, ahead), _month(today, ahead + 1)
        await tx.execute(
            f"CREATE TABLE IF NOT EXISTS turns_{begin:%Y_%m} PARTITION OF turns "
            f"FOR VALUES FROM ({int(begin.timestamp()) * 1000}) TO ({int(end.timestamp()) * 1000})"
        )
        await tx.execute(
            f"CREATE TABLE IF NOT EXISTS outbox_{begin:%Y_%m} PARTITION OF outbox "
            f"FOR VALUES FROM ('{begin:%Y-%m-%d}T00:00Z') TO ('{end:%Y-%m-%d}T00:00Z')"
        )


def _month(today: datetime, ahead: int) -> datetime:
    months = today.year * 12 + today.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
