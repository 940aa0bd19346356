"""Changes -> messages of the two feeds."""

from __future__ import annotations

from collections.abc import Sequence

from services.chassis.message import Outgoing
from services.chassis.prefix import prefix_writer
from services.chassis.schemas import Schemas
from services.chassis.wire import avro_bytes, frame, zigzag
from services.disclosure.contracts.fields import encoded
from services.disclosure.contracts.showing import EPOCH
from services.disclosure.domain.events import RecordChanged
from services.disclosure.domain.terms import Feed

CHANGE = "credit.disclosure.change.v1"
TOPICS: dict[Feed, str] = {
    "public": "credit.disclosure.public-change.v1",
    "government": "credit.disclosure.government-change.v1",
}
KIND = "cn.hubei.credit.change.v1"
END = b"\x00"
_change = prefix_writer(
    [
        *("fixed16", "long", "string", "fixed16", "long"),  # subject, its count, what happened, record, version
        *("string", "long", "string", "string?", "string?", "long"),  # provenance
        *("avro", "avro?", "avro?", "string?", "long"),  # fields, before, after, reason, when
    ]
)


async def register(schemas: Schemas) -> None:
    """Both feeds carry one family; each has its own subject at the registry. Raises `Transient`."""
    for topic in TOPICS.values():
        await schemas.register(CHANGE, f"{topic}-value")


def record_changed(schemas: Schemas, event: RecordChanged) -> Outgoing:
    """One line of one feed, with CloudEvents headers since outsiders read it."""
    value = frame(schemas.schema_id(CHANGE), change_body(event))
    return Outgoing(TOPICS[event.feed], event.subject_id, value, kind=KIND, subject=event.subject_id.hex())


def change_body(event: RecordChanged) -> bytes:
    """CreditChange in Avro; an encoder would cost more than all else that is done for it, a test is its oracle."""
    shown = event.shown
    return _change(
        event.subject_id,
        event.subject_seq,
        event.change,
        event.record_id,
        event.version,
        shown.item,
        shown.item_version,
        shown.agency,
        shown.subject_code,
        shown.subject_name,
        shown.decided_on.toordinal() - EPOCH,
        _texts(event.fields_changed),
        None if event.before is None else encoded(event.before),
        None if event.after is None else encoded(event.after),
        event.reason,
        event.at_ms,
    )


def _text(text: str) -> bytes:
    return avro_bytes(text.encode())


def _texts(texts: Sequence[str]) -> bytes:
    return (zigzag(len(texts)) + b"".join(map(_text, texts)) if texts else b"") + END
