"""The outbox: one blob per lane and batch, enough to publish its events again, kept afterwards as the journal.

A blob is zstd over entries; an entry is a header of fixed layout followed by its parts:
partition (i32, -1: by key), six lengths (u32: topic, key, value, headers, kind, subject), then the parts.
Headers are again pairs of length-prefixed strings. Positions are not stored: they count from the row's first one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import cramjam

from services.chassis.handling import Transaction
from services.chassis.lanes import Lane
from services.chassis.message import Headers, Outgoing

ENTRY = struct.Struct("<i6I")
PAIR = struct.Struct("<2I")
LEVEL = 3


class Written(NamedTuple):
    """The events a lane says in one batch, and the position of the first."""

    lane: Lane
    first_position: int
    events: Sequence[Outgoing]


def pack(events: Iterable[Outgoing]) -> bytes:
    """Compress events into a blob."""
    parts: list[bytes] = []
    for event in events:
        headers = _pack_headers(event.headers) if event.headers else b""
        topic, kind, subject = event.topic.encode(), event.kind.encode(), event.subject.encode()
        fields = (topic, event.key, event.value, headers, kind, subject)
        parts.append(ENTRY.pack(-1 if event.partition is None else event.partition, *map(len, fields)))
        parts.extend(fields)
    return bytes(cramjam.zstd.compress(b"".join(parts), level=LEVEL))


def unpack(blob: bytes) -> Iterator[Outgoing]:
    """The events of a blob, in order."""
    data, at = bytes(cramjam.zstd.decompress(blob)), 0
    while at < len(data):
        partition, *lengths = ENTRY.unpack_from(data, at)
        at += ENTRY.size
        fields: list[bytes] = []
        for length in lengths:
            fields.append(data[at : at + length])
            at += length
        topic, key, value, headers, kind, subject = fields
        where = None if partition < 0 else partition
        yield Outgoing(topic.decode(), key, value, where, _unpack_headers(headers), kind.decode(), subject.decode())


def _pack_headers(headers: Headers) -> bytes:
    return b"".join(PAIR.pack(len(k.encode()), len(v)) + k.encode() + v for k, v in headers)


def _unpack_headers(data: bytes) -> Headers:
    headers: list[tuple[str, bytes]] = []
    at = 0
    while at < len(data):
        name, value = PAIR.unpack_from(data, at)
        at += PAIR.size
        headers.append((data[at : at + name].decode(), data[at + name : at + name + value]))
        at += name + value
    return tuple(headers)


async def append(tx: Transaction, written: Sequence[Written], now_ms: int) -> None:
    """Store the batch's events beside the data they follow from."""
    await tx.execute(
        "INSERT INTO outbox (topic, partition, first_position, last_position, created_at, blob) "
        "SELECT t, p, f, l, $6, b FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bytea[]) "
        "AS u (t, p, f, l, b)",
        [w.lane.id.topic for w in written],
        [w.lane.id.partition for w in written],
        [w.first_position for w in written],
        [w.first_position + len(w.events) - 1 for w in written],
        [pack(w.events) for w in written],
        datetime.fromtimestamp(now_ms / 1000, UTC),
    )


async def unpublished(tx: Transaction, lane: Lane) -> list[Written]:
    """What this lane has said but may not have published, oldest first."""
    rows = await tx.fetch(
        "SELECT first_position, blob FROM outbox "
        "WHERE topic = $1 AND partition = $2 AND last_position > $3 ORDER BY last_position",
        lane.id.topic,
        lane.id.partition,
        lane.published,
    )
    return [Written(lane, row["first_position"], list(unpack(row["blob"]))) for row in rows]


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
