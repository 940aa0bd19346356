"""What disclosure consumes: which aggregate each message concerns, and who reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.chassis.handling import Handler
from services.chassis.message import Message, Moment
from services.chassis.schemas import Schemas
from services.disclosure.contracts import links
from services.disclosure.contracts.links import Again
from services.disclosure.contracts.records import LINKED, RecordReader
from services.disclosure.contracts.reference import CATALOGUE, SUBJECT, read_edition, read_subject
from services.disclosure.domain.edition import EditionSeen
from services.disclosure.domain.inputs import LinkMoved, RecordSeen, SubjectErased
from services.disclosure.domain.subject_card import SubjectSeen
from services.disclosure.handlers.reference import ERASURE, Cards, Items
from services.disclosure.handlers.subject_files import WAITS, WAITS_AGAIN, SubjectFiles

ReadMany = Callable[[Sequence[Message], Moment], Sequence[RecordSeen | None]]


def handlers(schemas: Schemas, reader: RecordReader, read_many: ReadMany | None = None) -> tuple[Handler, ...]:
    """The table of what is consumed; `read_many` takes the records of which it is certain."""
    subject_files = SubjectFiles(schemas, reader)

    def item(message: Message, moment: Moment) -> EditionSeen:
        return read_edition(schemas, message, moment)

    def link(message: Message, moment: Moment) -> Again | LinkMoved:
        return links.read_link(schemas, reader, message, moment)

    def subject(message: Message, moment: Moment) -> SubjectSeen:
        return read_subject(schemas, message, moment)

    def erased(message: Message, moment: Moment) -> SubjectErased:
        return SubjectErased(message.key, moment.now_ms)

    return (
        Handler(LINKED, subject_files, reader.read, read_many),
        Handler(f"timer:{WAITS}", subject_files, reader.read),
        Handler(links.LINK, subject_files, link),
        Handler(f"timer:{WAITS_AGAIN}", subject_files, link),
        Handler(SUBJECT, Cards(), subject),
        Handler(f"timer:{ERASURE}", subject_files, erased),
        Handler(CATALOGUE, Items(), item),
    )
