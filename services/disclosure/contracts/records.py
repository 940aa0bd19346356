"""Linked records -> inputs: the head is read at once, the submission when its schema is known to be here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, cast

from services.chassis import wire
from services.chassis.editions import own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.disclosure.contracts.fields import EncodedFields, encoded
from services.disclosure.contracts.plan import ENVELOPE
from services.disclosure.contracts.reference import NAME_LIMIT, Catalogue
from services.disclosure.contracts.showing import EPOCH, Cut, Shower, compile_shower
from services.disclosure.contracts.text import storable
from services.disclosure.domain.edition import Edition
from services.disclosure.domain.events import Shown
from services.disclosure.domain.inputs import RecordSeen
from services.disclosure.domain.subject_file import feeds_of
from services.disclosure.domain.terms import CODE_KINDS, Feed
from services.kernel.text import narrowed

LINKED = "credit.identity.record.v1"
ID_LIMIT = 128

_FIELDS = {
    "subject_id": "fixed16",
    "link_rule": "string",
    "linked_at": "long",
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
_linked = prefix_reader(list(_FIELDS.values()))
# The fixed envelope of a submission up to `subject_kind`: submission_id, item, agency, source_unit, action, record_no.
_envelope = prefix_reader(["string"] * 7)


class Linked(NamedTuple):
    """A linked record as far as its head tells; `value` is the whole message, for when it has to be read again."""

    record_id: bytes
    version: int
    subject_id: bytes
    action: str
    item: str
    item_version: int
    agency: str
    submission_id: str
    accepted_at_ms: int
    person: bool
    feeds: tuple[Feed, ...]
    submission: bytes
    value: bytes
    at_ms: int

    @property
    def needed(self) -> bytes | None:
        """The submission, if it has to be decoded: not of a withdrawal, nor of what nobody is shown."""
        return self.submission if self.feeds and self.action != "withdraw" else None


class RecordReader:
    """Reads linked records; what may be shown of them is the catalogue's to say."""

    def __init__(self, schemas: Schemas, catalogue: Catalogue) -> None:
        self._schemas = schemas
        self._catalogue = catalogue
        self._revision = catalogue.revision
        self._showers: dict[tuple[int, str, int, bool], Shower | None] = {}

    def read(self, message: Message, moment: Moment) -> Linked:
        """The head; raises `Unhandleable`."""
        value = message.value or b""
        body = own_body(self._schemas, LINKED, _FIELDS, value)
        (
            subject_id, _, _, record_id, version, item, item_version, _, disclosure, action, agency, submission_id,
            accepted_at, _, submission, _,
        ) = _linked(body, 0)  # fmt: skip
        _, _, _, _, _, _, kind, _ = _envelope(submission, checked(submission))
        return Linked(
            record_id,
            version,
            subject_id,
            action,
            storable(item, ID_LIMIT),
            item_version,
            storable(agency, ID_LIMIT),
            storable(submission_id, ID_LIMIT),
            accepted_at,
            kind == "person",
            feeds_of(disclosure, kind),
            submission,
            value,
            moment.now_ms,
        )

    def complete(self, linked: Linked | RecordSeen) -> RecordSeen:
        """With what may be shown, if it is not already; raises `Unhandleable` if the submission cannot be read."""
        if isinstance(linked, RecordSeen):
            return linked
        shown = None if linked.needed is None else self._shown(linked)
        head = (linked.record_id, linked.version, linked.subject_id, linked.action)
        return RecordSeen(*head, linked.feeds, shown, linked.at_ms)

    def _shown(self, linked: Linked) -> Shown | None:
        edition = self._catalogue.edition(linked.item, linked.item_version)
        if edition is None:
            return None
        cut = self._cut(linked, edition)
        code, name = (None, None) if linked.person else _subject(cut)
        head = (linked.item, linked.item_version, linked.agency, linked.submission_id, code, name)
        return Shown(*head, day_of(cut.decided_on), linked.accepted_at_ms, cut.fields)

    def _cut(self, linked: Linked, edition: Edition) -> Cut:
        shower = self._shower(wire.schema_id_of(linked.submission) or 0, linked, edition)
        return self._decoded(linked, edition) if shower is None else shower(linked.submission, wire.HEAD.size)

    def _shower(self, schema_id: int, linked: Linked, edition: Edition) -> Shower | None:
        if self._revision != self._catalogue.revision:  # another edition may be the one to show by
            self._revision, self._showers = self._catalogue.revision, {}
        key = schema_id, linked.item, linked.item_version, linked.person
        if key not in self._showers:
            schema = self._schemas.get(schema_id)
            if schema is None:
                return None
            self._showers[key] = compile_shower(schema, edition, linked.person)
        return self._showers[key]

    def _decoded(self, linked: Linked, edition: Edition) -> Cut:
        """The same by fastavro, for schemas that no code is made for."""
        _, record = self._schemas.decode(linked.submission)
        payload: Any = record.get("payload")
        decided_on = record.get("decided_on")
        if not isinstance(payload, dict) or not isinstance(decided_on, date):
            raise Unhandleable("NO_PAYLOAD")
        fields = edition.show(cast("Mapping[str, Any]", payload), linked.person)
        kind, code, name = (str(record.get(name, "")) for name in ENVELOPE[:3])
        return Cut(kind, code, name, decided_on.toordinal() - EPOCH, EncodedFields(encoded(fields)))


def _subject(cut: Cut) -> tuple[str | None, str | None]:
    """Code and name as reported; a code of any other kind than an organisation's stays here."""
    code = narrowed(cut.subject_code)
    known = cut.subject_code_kind in CODE_KINDS
    name = storable(cut.subject_name, NAME_LIMIT)
    return (storable(code, ID_LIMIT) or None) if known else None, name or None


def checked(submission: bytes) -> int:
    """Where the body of a framed value begins; raises `Unhandleable`."""
    if wire.schema_id_of(submission) is None:
        raise Unhandleable("WIRE_FORMAT", "no 0x00 and 4-byte schema id at the front")
    return wire.HEAD.size


@lru_cache(maxsize=65_536)
def day_of(days: int) -> date:
    """Days since 1970 as a date."""
    try:
        return date.fromordinal(EPOCH + days)
    except (ValueError, OverflowError):
        raise Unhandleable("NO_SUCH_DAY") from None
