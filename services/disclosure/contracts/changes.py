"""Changes -> messages of the two feeds."""

from __future__ import annotations

from typing import Any

from services.chassis.message import Outgoing
from services.chassis.schemas import Schemas
from services.disclosure.domain.events import RecordChanged
from services.disclosure.domain.terms import Feed

CHANGE = "credit.disclosure.change.v1"
TOPICS: dict[Feed, str] = {
    "public": "credit.disclosure.public-change.v1",
    "government": "credit.disclosure.government-change.v1",
}
KIND = "cn.hubei.credit.change.v1"


async def register(schemas: Schemas) -> None:
    """Both feeds carry one family; each has its own subject at the registry. Raises `Transient`."""
    for topic in TOPICS.values():
        await schemas.register(CHANGE, f"{topic}-value")


def record_changed(schemas: Schemas, event: RecordChanged) -> Outgoing:
    """One line of one feed, with CloudEvents headers since outsiders read it."""
    shown = event.shown
    record: dict[str, Any] = {
        "subject_id": event.subject_id,
        "subject_seq": event.subject_seq,
        "change": event.change,
        "record_id": event.record_id,
        "version": event.version,
        "item": shown.item,
        "item_version": shown.item_version,
        "agency": shown.agency,
        "subject_code": shown.subject_code,
        "subject_name": shown.subject_name,
        "decided_on": shown.decided_on,
        "fields_changed": list(event.fields_changed),
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
        "changed_at": event.at_ms,
    }
    value = schemas.encode(CHANGE, record)
    return Outgoing(TOPICS[event.feed], event.subject_id, value, kind=KIND, subject=event.subject_id.hex())
