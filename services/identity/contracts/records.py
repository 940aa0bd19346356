"""Accepted records -> inputs."""

from __future__ import annotations

from typing import Any

from services.chassis.editions import own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.chassis.wire import unframe
from services.identity.contracts import holders
from services.identity.domain import codes
from services.identity.domain.records import Claim, RecordSeen
from services.identity.domain.relations import ROLE_OF
from services.identity.domain.terms import MAPPING, PERSON, REGISTRATION, SUBJECT_ID

ACCEPTED = "credit.ingestion.record.v1"
NAME_LIMIT = 200
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
