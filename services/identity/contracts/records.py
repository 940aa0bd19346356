"""Accepted records -> inputs; what is said of links and subjects -> messages."""

from __future__ import annotations

from typing import Any

from services.chassis.editions import Codec, own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment, Outgoing
from services.chassis.prefix import prefix_reader, prefix_writer
from services.chassis.schemas import Schemas
from services.chassis.wire import frame, unframe, zigzag
from services.identity.contracts import holders
from services.identity.domain import codes
from services.identity.domain.events import RecordLinked, RecordMoved, RecordUnlinked
from services.identity.domain.records import Claim, RecordSeen
from services.identity.domain.relations import ROLE_OF
from services.identity.domain.subject_events import SubjectChanged
from services.identity.domain.terms import MAPPING, PERSON, REGISTRATION, SUBJECT_ID, Cause

ACCEPTED = "credit.ingestion.record.v1"
LINKED = "credit.identity.record.v1"
LINK = "credit.identity.link.v1"
SUBJECT = "credit.identity.subject.v1"
NAME_LIMIT = 200
END = b"\0"  # of an Avro array
UNDECODED = (Unhandleable, KeyError, TypeError, AttributeError)  # a payload that is none of its item

# RecordAccepted in the edition that our own contract repeats; `submission` is framed and untouched.
_FIELDS = {
    "record_id": "fixed16",
    "version": "long",
    "item": "string",
    "item_version": "long",
    "item_class": "string",
    "disclosure": "string",
    "action": "string",
    "agency": "string",
    "submission_id": "string",
    "accepted_at": "long",
    "due_on": "long?",
    "submission": "bytes",
}
_accepted = prefix_reader(list(_FIELDS.values()))
_link = prefix_writer(["fixed16", "string", "long"])  # subject_id, link_rule, linked_at
# SubjectChanged: subject_id, subject_version, change, subject_kind, name, codes, changed_at, merged_into.
_subject = prefix_writer(["fixed16", "long", "string", "string", "string?", "avro", "long", "fixed16?"])
_code = prefix_writer(["string", "string"])
# The fixed envelope of a submission: submission_id, item, agency, source_unit, action, record_no, subject_kind,
# subject_code_kind, subject_code, subject_name, decided_on, produced_at.
_envelope = prefix_reader([*["string"] * 10, "long", "long"])


class Reader:
    """Reads accepted records; holds the pepper, which nobody else needs."""

    def __init__(self, schemas: Schemas, pepper: bytes) -> None:
        self._schemas = schemas
        self._pepper = pepper

    def read(self, message: Message, moment: Moment) -> RecordSeen:
        """An accepted record as far as its envelope tells; raises `Unhandleable`."""
        return self.read_body(own_body(self._schemas, ACCEPTED, _FIELDS, message.value), moment.now_ms)

    def read_body(self, body: bytes, now_ms: int) -> RecordSeen:
        """The same from a body, as it lies in the review list."""
        record_id, version, item, _, _, _, action, agency, _, accepted_at, _, submission, end = _accepted(body, 0)
        if end != len(body):
            raise Unhandleable("AVRO_UNREADABLE", "bytes left over")
        _, envelope = unframe(submission)
        head = _envelope(envelope, 0)
        seen = RecordSeen(
            record_id,
            version,
            item,
            action,
            agency,
            subject_kind=head[6],
            named=self._named(*head[6:9]),
            subject_name=_storable(head[9]),
            accepted_at=accepted_at,
            produced_at=head[11],
            accepted=body,
            at_ms=now_ms,
        )
        return seen._replace(claims=self._registered(seen)) if item == REGISTRATION else seen

    def _named(self, subject_kind: str, code_kind: str, code: str) -> codes.Reference:
        if subject_kind == PERSON and code_kind == SUBJECT_ID:
            return codes.refer_to_sealed(code)
        return codes.refer(self._pepper, code_kind, code)

    def _registered(self, seen: RecordSeen) -> tuple[Claim, ...]:
        """A registration brings the organisation code inside its USCC; if two do, neither is exact any more."""
        if seen.named.kind != "uscc" or seen.named.fault is not None:
            return ()
        return (Claim(seen.named, codes.organisation_code_in(self._pepper, seen.named), binding=False),)

    def submission(self, seen: RecordSeen) -> bytes | None:
        """The submission of a record whose payload is needed, framed by its agency; None for all others."""
        if seen.item == MAPPING:
            wanted = seen.subject_kind != PERSON
        elif seen.item in ROLE_OF:
            wanted = seen.subject_kind != PERSON or seen.named.kind == SUBJECT_ID
        else:
            return None  # nearly every record
        if not wanted or seen.withdraws:
            return None
        submission: bytes = _accepted(seen.accepted, 0)[11]
        return submission

    def complete(self, seen: RecordSeen) -> RecordSeen:
        """With the claim of a mapping's payload; its schema is resolved before."""
        submission = self.submission(seen) if seen.item == MAPPING else None
        if submission is None:
            return seen
        try:
            payload = self._payload(submission)
            subject = codes.refer(self._pepper, "uscc", payload["uscc"])
            alias = codes.refer(self._pepper, payload["old_kind"], payload["old_code"])
        except UNDECODED:
            return seen._replace(trouble="MAPPING_UNREADABLE")
        if subject.fault or alias.fault or alias.kind == "uscc" or subject.id != seen.named.id:
            return seen._replace(trouble="MAPPING_UNREADABLE")
        return seen._replace(claims=(Claim(subject, alias, binding=True),))

    def with_holder(self, seen: RecordSeen) -> RecordSeen:
        """With whom a register entry names; raises `Unhandleable` where that cannot be read: it is not passed over."""
        submission = self.submission(seen) if seen.item in ROLE_OF else None
        if submission is None:
            return seen
        try:
            return seen._replace(holder=holders.holder(self._pepper, seen.item, self._payload(submission)))
        except UNDECODED:
            raise Unhandleable("HOLDER_UNREADABLE", seen.item) from None  # the text of the cause may hold a name

    def _payload(self, submission: bytes) -> dict[str, Any]:
        payload: dict[str, Any] = self._schemas.decode(submission)[1]["payload"]
        return payload


def _storable(name: str) -> str:
    """PostgreSQL text holds no NUL; nothing else of a registered name is changed."""
    return name.strip()[:NAME_LIMIT].replace("\0", "\ufffd")


def record_linked(schemas: Schemas, event: RecordLinked) -> Outgoing:
    """Our three fields, then the body that ingestion wrote, untouched."""
    link = event.link
    about = event.about or link.subject_id
    head = _link(about, link.rule, event.at_ms)
    return Outgoing(LINKED, about, frame(schemas.schema_id(LINKED), head + event.given.accepted))


def linked_again(schemas: Schemas, event: RecordLinked) -> Outgoing:
    """The same of a record that was nobody's, under the number of its link."""
    told = record_linked(schemas, event)
    what = (event.given.record_id, event.link_no, told.key, True, "LINKED_AGAIN", event.at_ms, told.value)
    return _link_changed(schemas, *what)


def record_moved(schemas: Schemas, event: RecordMoved) -> Outgoing:
    """Whose a record is now."""
    what = (event.record_id, event.link_no, event.subject_id, True, event.cause, event.at_ms, None)
    return _link_changed(schemas, *what)


def record_unlinked(schemas: Schemas, event: RecordUnlinked) -> Outgoing:
    """Whose a record is no more."""
    what = (event.record_id, event.link_no, event.subject_id, False, "MAPPING_CHANGED", event.at_ms, None)
    return _link_changed(schemas, *what)


def _link_changed(
    schemas: Schemas,
    record_id: bytes,
    link_no: int,
    subject_id: bytes,
    linked: bool,
    cause: Cause,
    at_ms: int,
    record: bytes | None,
) -> Outgoing:
    value = schemas.encode(
        LINK,
        {
            "record_id": record_id,
            "link_no": link_no,
            "subject_id": subject_id,
            "linked": linked,
            "cause": cause,
            "changed_at": at_ms,
            "record": record,
        },
    )
    return Outgoing(LINK, subject_id, value)


def person_erased(codec: Codec, subject_id: bytes, at_ms: int) -> Outgoing:
    """That nobody may keep what could be read of this person; nothing else is ever told of a person as a subject."""
    told = {"subject_id": subject_id, "subject_version": 1, "change": "ERASED", "subject_kind": PERSON, "name": None}
    value = codec.encode(SUBJECT, {**told, "codes": [], "changed_at": at_ms, "merged_into": None})
    return Outgoing(SUBJECT, subject_id, value)


def subject_changed(schemas: Schemas, event: SubjectChanged) -> Outgoing:
    """The whole subject as it is now."""
    subject = event.subject
    known = (zigzag(len(subject.codes)) + b"".join(_code(*code) for code in subject.codes)) if subject.codes else b""
    said = (event.change, subject.kind, subject.name, known + END, event.at_ms, subject.merged_into)
    body = _subject(subject.subject_id, subject.version, *said)
    return Outgoing(SUBJECT, subject.subject_id, frame(schemas.schema_id(SUBJECT), body))
