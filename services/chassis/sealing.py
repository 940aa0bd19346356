"""Events -> sealed record batches: position, origin and CloudEvents headers, one zstd frame per partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import cramjam

from services.chassis.message import Headers, Outgoing
from services.chassis.prefix import WIRE
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


class Packed(NamedTuple):
    """Records for one partition, one behind the other and not yet compressed."""

    section: Section
    record_count: int
    records: bytes


def seal(
    placed: Sequence[tuple[Section, Outgoing]], first_position: int, stamp: Stamp, limit: int
) -> list[RecordBatch]:
    """Events in the order of their positions -> batches of at most `limit` bytes before compression, or of one event.

    Per partition the batches come in the order of their events.
    """
    pack = WIRE.pack if WIRE else python_pack
    packed = pack(placed, first_position, stamp.origin, partial(_front, stamp), limit)
    return [RecordBatch(*section, count, stamp.at_ms, _compressed(records)) for section, count, records in packed]


def _compressed(records: bytes) -> bytes:
    return bytes(cramjam.zstd.compress(records, level=LEVEL))


class Open:
    """Records being collected."""

    __slots__ = ("count", "parts", "size")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.count = self.size = 0

    def packed(self, section: Section) -> Packed:
        """What is in it."""
        return Packed(section, self.count, b"".join(self.parts))


def python_pack(
    placed: Sequence[tuple[Section, Outgoing]],
    first_position: int,
    origin: bytes,
    front_of: Callable[[Outgoing], bytes],
    limit: int,
) -> list[Packed]:
    """Records by partition: those that are full first, in the order in which they were."""
    fronts: dict[tuple[str, Headers], bytes] = {}
    filling: dict[Section, Open] = {}
    full: list[Packed] = []
    for position, (section, event) in enumerate(placed, first_position):
        front = fronts.get((event.kind, event.headers))
        if front is None:
            front = fronts[event.kind, event.headers] = front_of(event)
        said = b"%d" % position
        tail = (avro_bytes(event.key), avro_bytes(event.value), front, avro_bytes(said), _about(event, origin, said))
        body = b"".join(tail)
        batch = filling.get(section)
        if batch is None or batch.size + len(body) > limit:
            if batch is not None:
                full.append(batch.packed(section))
            batch = filling[section] = Open()
        record = ATTRIBUTES + zigzag(batch.count) + body
        batch.parts += (zigzag(len(record)), record)
        batch.count += 1
        batch.size += len(record)
    return full + [batch.packed(section) for section, batch in filling.items()]


def _front(stamp: Stamp, event: Outgoing) -> bytes:
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
