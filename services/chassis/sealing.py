"""Events -> sealed record batches: position, origin and CloudEvents headers, one zstd frame per partition."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import cramjam

from services.chassis.message import Headers, Outgoing
from services.chassis.record_batch import RecordBatch
from services.chassis.wire import avro_bytes, zigzag

LEVEL = 3
ATTRIBUTES = b"\0\0"  # of a record: none, and no difference to the batch's timestamp

Section = tuple[str, int]  # topic and partition


class Stamp(NamedTuple):
    """What is the same in everything a lane says in one batch."""

    service: str
    origin: bytes
    at_ms: int


class Open:
    """A record batch being filled."""

    __slots__ = ("count", "parts", "size")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.count = self.size = 0

    def seal(self, section: Section, at_ms: int) -> RecordBatch:
        """What is in it, compressed."""
        return RecordBatch(*section, self.count, at_ms, bytes(cramjam.zstd.compress(b"".join(self.parts), level=LEVEL)))


def seal(
    placed: Iterable[tuple[Section, Outgoing]], first_position: int, stamp: Stamp, limit: int
) -> list[RecordBatch]:
    """Events in the order of their positions -> batches of at most `limit` bytes before compression, or of one event.

    Per partition the batches come in the order of their events.
    """
    fronts: dict[tuple[str, Headers], bytes] = {}
    filling: dict[Section, Open] = {}
    sealed: list[RecordBatch] = []
    for position, (section, event) in enumerate(placed, first_position):
        front = fronts.get((event.kind, event.headers))
        if front is None:
            front = fronts[event.kind, event.headers] = _front(event, stamp)
        said = b"%d" % position
        tail = (
            avro_bytes(event.key),
            avro_bytes(event.value),
            front,
            avro_bytes(said),
            _about(event, stamp.origin, said),
        )
        body = b"".join(tail)
        batch = filling.get(section)
        if batch is None or batch.size + len(body) > limit:
            if batch is not None:
                sealed.append(batch.seal(section, stamp.at_ms))
            batch = filling[section] = Open()
        record = ATTRIBUTES + zigzag(batch.count) + body
        batch.parts += (zigzag(len(record)), record)
        batch.count += 1
        batch.size += len(record)
    return sealed + [batch.seal(section, stamp.at_ms) for section, batch in filling.items()]


def _front(event: Outgoing, stamp: Stamp) -> bytes:
    """The headers that are the same for all events of a kind, up to the name of the first that is not."""
    headers: list[tuple[str, bytes]] = [*event.headers, ("origin", stamp.origin)]
    count = len(headers) + 1
    if event.kind:
        time = datetime.fromtimestamp(stamp.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        headers += [
            ("ce_specversion", b"1.0"),
            ("ce_source", b"/creditbus/" + stamp.service.encode()),
            ("ce_type", event.kind.encode()),
            ("ce_time", time.encode()),
        ]
        count += 6
    return zigzag(count) + b"".join(avro_bytes(name.encode()) + avro_bytes(value) for name, value in headers) + POSITION


def _about(event: Outgoing, origin: bytes, said: bytes) -> bytes:
    """The CloudEvents headers of this one event; `ce_id` is the same when it is published again."""
    if not event.kind:
        return b""
    return CE_ID + avro_bytes(origin + b"/" + said) + CE_SUBJECT + avro_bytes(event.subject.encode())


POSITION, CE_ID, CE_SUBJECT = (avro_bytes(name) for name in (b"position", b"ce_id", b"ce_subject"))
