"""What is said of links and subjects -> messages."""

from __future__ import annotations

from services.chassis.editions import Codec
from services.chassis.message import Outgoing
from services.chassis.prefix import prefix_writer
from services.chassis.schemas import Schemas
from services.chassis.wire import frame, zigzag
from services.identity.domain.events import RecordLinked, RecordMoved, RecordUnlinked
from services.identity.domain.subject_events import SubjectChanged
from services.identity.domain.terms import PERSON, Cause

LINKED = "credit.identity.record.v1"
LINK = "credit.identity.link.v1"
SUBJECT = "credit.identity.subject.v1"
END = b"\0"  # of an Avro array
_link = prefix_writer(["fixed16", "string", "long"])  # subject_id, link_rule, linked_at
# SubjectChanged: subject_id, subject_version, change, subject_kind, name, codes, changed_at, merged_into.
_subject = prefix_writer(["fixed16", "long", "string", "string", "string?", "avro", "long", "fixed16?"])
_code = prefix_writer(["string", "string"])


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
