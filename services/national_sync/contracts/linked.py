"""Records as identity links them, changes of their links, and the submission inside."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from services.chassis.editions import Codec, own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.chassis.wire import HEAD
from services.national_sync.domain.events import Action
from services.national_sync.domain.inputs import Irrelevant, RecordSeen, Relinked, Unlinked

LINKED = "credit.identity.record.v1"
LINK = "credit.identity.link.v1"

# RecordLinked in the edition that this code knows; `submission` is framed and untouched.
_HEAD = {
    "subject_id": "fixed16",
    "link_rule": "string",
    "linked_at": "long",
    "record_id": "fixed16",
    "version": "long",
    "item": "string",
}
_REST = {
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
_FIELDS = [*_HEAD, *_REST]
# The fixed envelope of a submission up to `subject_kind`.
_envelope = prefix_reader(["string"] * 7)
_head = prefix_reader(list(_HEAD.values()))
_rest = prefix_reader(list(_REST.values()))


def read_record(codec: Codec, items: Collection[str], message: Message, moment: Moment) -> RecordSeen | Irrelevant:
    """A linked record; items that the nation does not collect are left after six fields."""
    body = own_body(codec, LINKED, _FIELDS, message.value)
    _, _, _, record_id, version, item, at = _head(body, 0)
    if item not in items:
        return Irrelevant()
    _, _, _, action, _, _, _, _, submission, _ = _rest(body, at)
    if _envelope(submission, HEAD.size)[6] == "person":
        return Irrelevant()  # sealed texts are none that the nation could read; no exchange of persons is agreed
    push: Action = "delete" if action == "withdraw" else "put"
    return RecordSeen(record_id, version, item, push, submission, moment.now_ms)


def read_link(
    codec: Codec, items: Collection[str], message: Message, moment: Moment
) -> Relinked | Unlinked | Irrelevant:
    """A change of a record's link; that it moved to another subject is nothing to the nation. Raises `Unhandleable`."""
    _, record = codec.decode(message.value or b"")
    try:
        link_no, told = int(record["link_no"]), record["record"]
        if told is not None:
            seen = read_record(codec, items, message._replace(value=told), moment)
            return seen if isinstance(seen, Irrelevant) else Relinked(seen, link_no)
        return Irrelevant() if record["linked"] else Unlinked(record["record_id"], link_no, moment.now_ms)
    except KeyError as error:
        raise Unhandleable("FIELD_MISSING", str(error)) from None


def read_submission(schemas: Schemas, submission: bytes) -> dict[str, Any]:
    """Envelope and payload as the agency sent them; raises `Unhandleable`."""
    _, record = schemas.decode(submission)
    if not isinstance(record.get("payload"), dict):
        raise Unhandleable("NO_PAYLOAD")
    return record
