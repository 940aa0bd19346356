"""Linked records -> inputs: the head is read at once, the submission when its schema is known to be here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, cast

from services.chassis.editions import own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.chassis.wire import unframe
from services.disclosure.contracts.reference import NAME_LIMIT, Catalogue
from services.disclosure.contracts.text import storable
from services.disclosure.domain.events import Shown
from services.disclosure.domain.subject_file import RecordSeen, feeds_of
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

    def read(self, message: Message, moment: Moment) -> Linked:
        """The head; raises `Unhandleable`."""
        value = message.value or b""
        found = _linked(own_body(self._schemas, LINKED, _FIELDS, value), 0)
        head = dict(zip(_FIELDS, found, strict=False))
        kind: str = _envelope(unframe(head["submission"])[1], 0)[6]
        return Linked(
            head["record_id"],
            head["version"],
            head["subject_id"],
            head["action"],
            storable(head["item"], ID_LIMIT),
            head["item_version"],
            storable(head["agency"], ID_LIMIT),
            storable(head["submission_id"], ID_LIMIT),
            head["accepted_at"],
            kind == "person",
            feeds_of(head["disclosure"], kind),
            head["submission"],
            value,
            moment.now_ms,
        )

    def complete(self, linked: Linked) -> RecordSeen:
        """With what may be shown; raises `Unhandleable` if the submission cannot be read."""
        shown = None if linked.needed is None else self._shown(linked)
        head = (linked.record_id, linked.version, linked.subject_id, linked.action)
        return RecordSeen(*head, linked.feeds, shown, linked.at_ms)

    def _shown(self, linked: Linked) -> Shown | None:
        edition = self._catalogue.edition(linked.item, linked.item_version)
        if edition is None:
            return None
        _, record = self._schemas.decode(linked.submission)
        payload: Any = record.get("payload")
        decided_on = record.get("decided_on")
        if not isinstance(payload, dict) or not isinstance(decided_on, date):
            raise Unhandleable("NO_PAYLOAD")
        fields = cast("Mapping[str, Any]", payload)
        code, name = (None, None) if linked.person else _subject(record)
        head = (linked.item, linked.item_version, linked.agency, linked.submission_id, code, name)
        return Shown(*head, decided_on, linked.accepted_at_ms, edition.show(fields, linked.person))


def _subject(record: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Code and name as reported; a code of any other kind than an organisation's stays here."""
    code = narrowed(str(record.get("subject_code", "")))
    known = record.get("subject_code_kind") in CODE_KINDS
    name = storable(str(record.get("subject_name", "")), NAME_LIMIT)
    return (storable(code, ID_LIMIT) or None) if known else None, name or None
