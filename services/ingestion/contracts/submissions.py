"""A message of a submit topic -> a Submission, always: what cannot be read or is wrong carries its faults."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from services.chassis import wire
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import read_record
from services.ingestion.contracts.edition import Edition
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.sealing import Unsealed
from services.ingestion.domain import envelope as rules
from services.ingestion.domain import received
from services.ingestion.domain.deadlines import due_on
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.intake import refusals
from services.ingestion.domain.record import DIGEST
from services.ingestion.domain.submission import Envelope, Origin, Submission
from services.ingestion.domain.terms import PERSON

SUBMIT, VERSION = "credit.submit.", ".v1"
HEAD = 5  # the frame before the body
read_fields = prefix_reader(["string"] * 10 + ["long", "long"])


class Front(NamedTuple):
    """The envelope of a framed value and where its payload begins."""

    schema_id: int
    envelope: Envelope
    payload_at: int


class SubmissionReader:
    """Reads submissions against the register; `tolerance_ms` is how far a sender's clock may be ahead."""

    def __init__(self, register: Register, tolerance_ms: int) -> None:
        self._register = register
        self._tolerance_ms = tolerance_ms

    def read(self, message: Message, moment: Moment) -> Submission:
        """Never raises: an agency's bytes are answered, whatever they are."""
        origin = origin_of(message, moment)
        front = read_front(message.value)
        if front is None:
            return refused(message, origin, None, (undecodable(message.value),))
        edition = self._register.edition(front.schema_id)
        if edition is None:
            return refused(message, origin, front.envelope, (unknown_schema(message.value),))
        return self._judge(message, origin, front, edition)

    def _judge(self, message: Message, origin: Origin, front: Front, edition: Edition) -> Submission:
        value, envelope = message.value or b"", front.envelope
        sender = self._register.sender(origin.agency)
        verdict = rules.check(envelope, sender, edition.item, message.key, origin.now, self._tolerance_ms)
        door = self._register.door(edition.item.code)
        closed = refusals(edition.item, door, envelope.action, rules.china_day(origin.now))
        wrong = (*payload_faults(value, front, edition), *rules.number_faults(envelope))
        faults = (*verdict.faults, *closed, *wrong)
        if faults:
            return refused(message, origin, envelope, faults, edition)
        due, notes = due_on(edition.item, envelope.decided_on)
        return Submission(
            origin,
            envelope.submission_id,
            envelope.record_no,
            envelope.item,
            edition.item.version,
            front.schema_id,
            envelope.action,
            content_of(envelope, value, front.payload_at),
            blake2b(envelope.submission_id.encode(), digest_size=DIGEST).digest(),
            envelope.produced_at,
            record_id(origin.agency, envelope.item, envelope.record_no),
            due,
            edition.facts,
            value,
            (),
            verdict.notes + notes,
            decided_on=envelope.decided_on,
            from_unit=bool(envelope.source_unit),
            ahead=Unsealed(envelope, edition, front.payload_at) if envelope.subject_kind == PERSON else None,
        )


def agency_of(topic: str) -> str:
    """The agency a submit topic belongs to."""
    return topic.removeprefix(SUBMIT).removesuffix(VERSION)


def received_at(message: Message, moment: Moment) -> int:
    """When the broker had it; the sender may have set that time, so it is held within reason."""
    return min(max(message.timestamp_ms, 0), moment.now_ms)


def read_front(value: bytes | None) -> Front | None:
    """The schema id and the envelope, or None for bytes that do not begin with one."""
    schema_id = wire.schema_id_of(value)
    if value is None or schema_id is None:
        return None
    try:
        *fields, at = read_fields(value, HEAD)
    except Unhandleable:
        return None
    return Front(schema_id, Envelope(*fields), at)


def payload_faults(value: bytes, front: Front, edition: Edition) -> tuple[Fault, ...]:
    """Nothing for a payload that is certainly valid; else what the explaining validator says."""
    if edition.certainly_valid(value, front.payload_at, front.envelope):
        return ()
    try:
        record = read_record(edition.schema, value[HEAD:])
    except Unhandleable:
        return (undecodable(value, known=True),)
    return tuple(edition.validate(record | record["payload"]))


def undecodable(value: bytes | None, known: bool = False) -> Fault:
    """Bytes that are no submission; `known`: their schema id is one of ours."""
    return fault("UNDECODABLE", received=received.framed(value, known))


def unknown_schema(value: bytes | None) -> Fault:
    """A frame whose schema id belongs to no edition."""
    return fault("SCHEMA_UNKNOWN", received=received.framed(value, known=False))


def refused(
    message: Message,
    origin: Origin,
    envelope: Envelope | None,
    faults: tuple[Fault, ...],
    edition: Edition | None = None,
) -> Submission:
    """A submission that will be refused, with as much of its names as can be read."""
    place = f"{message.topic}/{message.partition}/{message.offset}"
    key = message.key.decode(errors="replace")
    names = (place, key, "") if envelope is None else _names(envelope, place, key)
    if envelope is not None and any(rules.number_faults(envelope)):
        # A receipt would carry a person's number on: it names the place instead, and is keyed by it.
        origin, names = origin._replace(key=place.encode()), (place, place, names[2])
    version = edition.item.version if edition and edition.item.code == names[2] else 0
    return Submission(origin, *names, version, 0, "", b"", b"", 0, b"", None, b"", b"", faults, ())


def origin_of(message: Message, moment: Moment) -> Origin:
    """Where and under which key it came, and where its receipt goes."""
    received = received_at(message, moment)
    return Origin(agency_of(message.topic), message.partition, message.key, received, moment.now_ms)


def waiting(message: Message, now: int) -> Submission:
    """A parked submission: only its names and times are needed."""
    front = read_front(message.value)
    return refused(message, origin_of(message, Moment(now)), front.envelope if front else None, ())


def _names(envelope: Envelope, place: str, key: str) -> tuple[str, str, str]:
    """submission_id, record_no, item; a name that no receipt could carry is replaced."""
    return (
        envelope.submission_id if rules.is_name(envelope.submission_id) else place,
        envelope.record_no if rules.is_name(envelope.record_no) else key,
        envelope.item if rules.is_name(envelope.item) else "",
    )


def content_of(envelope: Envelope, value: bytes, payload_at: int) -> bytes:
    """The hash of what the record says; how it was sent (submission id, action, moment) is no part of it."""
    said = (*envelope[1:4], *envelope[5:10], str(envelope.decided_on))
    return blake2b("\0".join(said).encode() + value[payload_at:], digest_size=16).digest()


def record_id(agency: str, item: str, record_no: str) -> bytes:
    """The 16 bytes by which everybody downstream knows the record."""
    return blake2b(f"{agency}\0{item}\0{record_no}".encode(), digest_size=16).digest()
