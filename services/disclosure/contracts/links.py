"""Changes of a record's link -> inputs."""

from __future__ import annotations

from typing import NamedTuple

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment
from services.chassis.schemas import Schemas
from services.disclosure.contracts.records import Linked, RecordReader
from services.disclosure.domain.inputs import Input, LinkMoved, RecordSeen, Relinked, SubjectErased

LINK = "credit.identity.link.v1"


class Again(NamedTuple):
    """A version told again, as far as its head tells; `value` is the whole message, to be read again."""

    linked: Linked
    link_no: int
    value: bytes

    @property
    def record_id(self) -> bytes:
        """Which record."""
        return self.linked.record_id

    @property
    def subject_id(self) -> bytes:
        """Whose it is."""
        return self.linked.subject_id

    @property
    def needed(self) -> bytes | None:
        """The submission, if it has to be decoded."""
        return self.linked.needed


def read_link(schemas: Schemas, reader: RecordReader, message: Message, moment: Moment) -> Again | LinkMoved:
    """A change of a link; raises `Unhandleable`."""
    value = message.value or b""
    _, record = schemas.decode(value)
    try:
        link_no, told = int(record["link_no"]), record["record"]
        if told is not None:
            return Again(reader.read(message._replace(value=told), moment), link_no, value)
        return LinkMoved(record["record_id"], link_no, record["subject_id"], bool(record["linked"]), moment.now_ms)
    except KeyError as error:
        raise Unhandleable("FIELD_MISSING", str(error)) from None


def complete(reader: RecordReader, given: Linked | RecordSeen | Again | LinkMoved | SubjectErased) -> Input:
    """With what may be shown, if it is not already; raises `Unhandleable` if the submission cannot be read."""
    if isinstance(given, LinkMoved | SubjectErased):
        return given
    if isinstance(given, Again):
        return Relinked(reader.complete(given.linked), given.link_no)
    return reader.complete(given)
