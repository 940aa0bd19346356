"""What the world is told of a submission: its receipt, and the accepted record. Built by hand, checked by an oracle.

A record event is a prefix and the untouched submission; a receipt without faults is a few strings. An Avro encoder
would cost more than everything else that is done for them; a test holds the bytes equal to fastavro's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from services.chassis.message import Outgoing
from services.chassis.wire import avro_bytes, zigzag
from services.ingestion.domain.events import RecordAccepted, RecordEvent, SubmissionRefused
from services.ingestion.domain.faults import Fault
from services.ingestion.domain.submission import Submission

RECORD, RECEIPT = "credit.ingestion.record.v1", "credit.receipts.v1"
RECEIPT_KIND = "cn.hubei.credit.receipt.v1"
NULL, SOME, END = b"\x00", b"\x02", b"\x00"


class SchemaIds(Protocol):
    """The part of `Schemas` needed here."""

    def schema_id(self, name: str) -> int: ...


class Speaker:
    """Turns the events of the record aggregate into messages."""

    def __init__(self, schemas: SchemaIds) -> None:
        self.record_head = b"\0" + schemas.schema_id(RECORD).to_bytes(4, "big")
        self.receipt_head = b"\0" + schemas.schema_id(RECEIPT).to_bytes(4, "big")

    def announce(self, event: RecordEvent, given: Submission) -> Iterable[Outgoing]:
        """The accepted record first, then the receipt of the submission."""
        if isinstance(event, RecordAccepted):
            if given.ahead is not None and event.version == 1:
                return given.ahead
            value = self.record_head + record_body(event, given)
            return Outgoing(RECORD, given.record_id, value), self.receipt(given, "ACCEPTED", given.notes)
        if isinstance(event, SubmissionRefused):
            return (self.receipt(given, "REFUSED", event.faults),)
        return (self.receipt(given, "DUPLICATE", ()),)

    def receipt(self, given: Submission, outcome: str, faults: Sequence[Fault]) -> Outgoing:
        """The answer to one submission: on the same partition number, under the same key."""
        value = self.receipt_head + receipt_body(given, outcome, faults)
        topic = receipts_topic(given.origin.agency)
        origin = given.origin
        return Outgoing(topic, origin.key, value, origin.partition, (), RECEIPT_KIND, given.submission_id)


def receipts_topic(agency: str) -> str:
    """Where an agency hears what became of its submissions."""
    return f"credit.receipts.{agency}.v1"


def record_body(event: RecordAccepted, given: Submission) -> bytes:
    """RecordAccepted in Avro."""
    due_on = NULL if given.due_on is None else SOME + zigzag(given.due_on)
    return b"".join(
        (
            given.record_id,
            zigzag(event.version),
            given.facts,
            _string(event.action),
            _string(given.origin.agency),
            _string(given.submission_id),
            zigzag(given.origin.now),
            due_on,
            avro_bytes(given.value),
        )
    )


def receipt_body(given: Submission, outcome: str, faults: Sequence[Fault]) -> bytes:
    """Receipt in Avro."""
    known = outcome in ("ACCEPTED", "DUPLICATE")
    return b"".join(
        (
            _string(given.submission_id),
            _string(given.record_no),
            _string(given.item),
            _string(outcome),
            SOME + _string(given.record_id.hex()) if known else NULL,
            _faults(faults),
            zigzag(given.origin.received_at),
            zigzag(given.origin.now),
            SOME + zigzag(given.due_on) if known and given.due_on is not None else NULL,
        )
    )


def _faults(faults: Sequence[Fault]) -> bytes:
    if not faults:
        return END
    return zigzag(len(faults)) + b"".join(_string(text) for fault in faults for text in fault) + END


def _string(text: str) -> bytes:
    return avro_bytes(text.encode())
