"""Kafka record batches (message format v2), sealed once: the bytes in the outbox are the bytes that are published.

So events are compressed once and not twice, and what is published again after a crash is the same to the byte. The
client builds its batches from Python objects, one header at a time; here what is constant in a batch is joined once.
Format: https://kafka.apache.org/documentation/#recordbatch
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record import default_records, util

from services.chassis.message import Outgoing

ZSTD = 4  # compression type in the attributes
MAGIC = 2
HEADER = struct.Struct(">qiibIhiqqqhii")
LENGTH_FROM = 12  # the length counts what follows it
CRC_AT, CRC_FROM = 17, 21
OURS = frozenset(  # the headers that sealing adds
    {"origin", "position", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"}
)


class RecordBatch(NamedTuple):
    """Events for one partition; `records` is zstd over `record_count` records, all with the same timestamp."""

    topic: str
    partition: int
    record_count: int
    timestamp_ms: int
    records: bytes

    def build(self, producer_id: int, producer_epoch: int, base_sequence: int) -> bytearray:
        """The whole batch as the broker wants it."""
        buffer = bytearray(HEADER.size + len(self.records))
        length, last, at = len(buffer) - LENGTH_FROM, self.record_count - 1, self.timestamp_ms
        fixed = (
            0,
            length,
            -1,
            MAGIC,
            0,
            ZSTD,
            last,
            at,
            at,
            producer_id,
            producer_epoch,
            base_sequence,
            self.record_count,
        )
        HEADER.pack_into(buffer, 0, *fixed)
        buffer[HEADER.size :] = self.records
        struct.pack_into(">I", buffer, CRC_AT, util.calc_crc32c(buffer[CRC_FROM:]))
        return buffer

    def events(self) -> Iterator[tuple[int, Outgoing]]:
        """(position, event) of each record, read back."""
        reader: Any = default_records.DefaultRecordBatch(bytes(self.build(-1, -1, -1)))
        for record in reader:
            headers: dict[str, bytes] = dict(record.headers)
            own = tuple((name, value) for name, value in record.headers if name not in OURS)
            kind, subject = headers.get("ce_type", b"").decode(), headers.get("ce_subject", b"").decode()
            event = Outgoing(self.topic, record.key, record.value, self.partition, own, kind, subject)
            yield int(headers["position"]), event


class Sealed(BatchBuilder):
    """A record batch where the client expects one that it has built itself; a test holds the client's side of it."""

    def __init__(self, batch: RecordBatch) -> None:
        self._batch = batch
        self._state = (-1, -1, -1)

    def append(self, **_: object) -> None:
        """Nothing can be added: the answer of a batch that is full."""

    def close(self) -> None:
        """It is."""

    def closed(self) -> bool:
        return True

    def size(self) -> int:
        return HEADER.size + len(self._batch.records)

    def record_count(self) -> int:
        return self._batch.record_count

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._state = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytearray:
        return self._batch.build(*self._state)
