"""Avro <-> domain, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from services.chassis.editions import Codec, own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment, Outgoing
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.chassis.wire import unframe
from services.sanctions.domain import feedback_rules
from services.sanctions.domain.department import AgencyRegistered
from services.sanctions.domain.events import Fault, FeedbackAnswered, Subject, Task, TaskChanged
from services.sanctions.domain.inputs import Feedback, Irrelevant, LinkMoved, RecordSeen, Relinked
from services.sanctions.domain.memorandum import Memorandum

LINKED = "credit.identity.record.v1"
LINK = "credit.identity.link.v1"
TASK = "credit.sanctions.task.v1"
KIND = "cn.hubei.credit.sanctions.TaskChanged"
BEIJING = timezone(timedelta(hours=8))
NOTE_LIMIT = 2000
ID_LIMIT = 64

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
_head = prefix_reader(list(_HEAD.values()))
_rest = prefix_reader(list(_REST.values()))
# The fixed envelope of a submission up to `subject_name`: submission_id, item, agency, source_unit, action,
# record_no, subject_kind, subject_code_kind, subject_code, subject_name.
_envelope = prefix_reader(["string"] * 10)


def read_record(
    codec: Codec, memoranda: Mapping[str, Memorandum], message: Message, moment: Moment
) -> RecordSeen | Irrelevant:
    """A linked record; all but the items that a memorandum names are left after six fields."""
    body = own_body(codec, LINKED, _FIELDS, message.value)
    subject_id, _, _, record_id, version, item, at = _head(body, 0)
    memorandum = memoranda.get(item)
    if memorandum is None:
        return Irrelevant()
    _, _, _, action, _, _, _, _, submission, _ = _rest(body, at)
    kind, code, name = _subject(submission)
    return RecordSeen(
        record_id,
        version,
        action,
        kind,
        Subject(subject_id, code or None, name or None),
        memorandum,
        beijing_day(moment.now_ms),
        moment.now_ms,
    )


def read_link(
    codec: Codec, memoranda: Mapping[str, Memorandum], message: Message, moment: Moment
) -> Relinked | LinkMoved | Irrelevant:
    """A change of a record's link; raises `Unhandleable`."""
    _, record = codec.decode(message.value or b"")
    try:
        link_no, told = int(record["link_no"]), record["record"]
        if told is not None:
            seen = read_record(codec, memoranda, message._replace(value=told), moment)
            return seen if isinstance(seen, Irrelevant) else Relinked(seen, link_no)
        who = (record["record_id"], link_no, record["subject_id"], bool(record["linked"]))
    except KeyError as error:
        raise Unhandleable("FIELD_MISSING", str(error)) from None
    by_code = {memorandum.code: memorandum for memorandum in memoranda.values()}
    return LinkMoved(*who, by_code, beijing_day(moment.now_ms), moment.now_ms)


def read_agency(codec: Codec, message: Message, moment: Moment) -> AgencyRegistered:
    """A registered agency."""
    _, record = codec.decode(message.value or b"")
    code = record.get("code")
    if not isinstance(code, str):
        raise Unhandleable("FIELD_MISSING", "code")
    return AgencyRegistered(code, moment.now_ms)


def _subject(submission: bytes) -> tuple[str, str, str]:
    _, envelope = unframe(submission)
    fields = _envelope(envelope, 0)
    kind, code, name = fields[6], fields[8], fields[9]
    return kind, _storable(str(code).strip().upper()), _storable(str(name).strip(), 200)


def beijing_day(at_ms: int) -> date:
    """The calendar day in Beijing at that moment."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(BEIJING).date()


def agency_of(topic: str) -> str:
    """`credit.feedback.<agency>.v1` -> `<agency>`."""
    return topic.removeprefix("credit.feedback.").removesuffix(".v1")


def read_feedback(schemas: Schemas, message: Message, moment: Moment) -> Feedback:
    """What an agency sent; what cannot be read becomes feedback with a fault, so that it is answered, not parked."""
    agency, today = agency_of(message.topic), beijing_day(moment.now_ms)
    try:
        _, record = schemas.decode(message.value or b"")
        return _feedback(record, agency, today, moment.now_ms)
    except (Unhandleable, KeyError, TypeError):
        faults = (feedback_rules.UNREADABLE,)
        task_id = _storable(message.key[:ID_LIMIT].decode("utf-8", "replace"))
        return Feedback("", task_id, agency, agency, "", None, today, moment.now_ms, faults)


def _feedback(record: Mapping[str, Any], agency: str, today: date, now_ms: int) -> Feedback:
    feedback_id, task_id = _text(record, "feedback_id"), _text(record, "task_id")
    executed_on = record["executed_on"]
    if not isinstance(executed_on, date):
        raise TypeError("executed_on")
    faults: list[Fault] = []
    if not 1 <= len(feedback_id) <= ID_LIMIT:
        faults.append(feedback_rules.ID_FORMAT)
    if len(_text(record, "note")) > NOTE_LIMIT:
        faults.append(feedback_rules.NOTE_TOO_LONG)
    return Feedback(
        _storable(feedback_id),
        _storable(task_id),
        agency,
        _text(record, "agency"),
        _text(record, "outcome"),
        executed_on,
        today,
        now_ms,
        tuple(faults),
    )


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _storable(text: str, limit: int = ID_LIMIT) -> str:
    """Cut to what is echoed and kept; PostgreSQL text holds no NUL."""
    return text[:limit].replace("\0", "\ufffd")


def task_changed(schemas: Schemas, event: TaskChanged | FeedbackAnswered) -> Outgoing:
    """The message for the department, with CloudEvents headers since outsiders read it."""
    if isinstance(event, TaskChanged):
        department, task_id, feedback_id, faults = event.task.department, event.task.task_id, None, ()
    else:
        department, task_id, feedback_id, faults = event.addressee, event.task_id, event.feedback_id, event.faults
    record: dict[str, Any] = {
        "task_id": task_id,
        "change": event.change,
        **_task(event.task),
        "department": department,
        "feedback_id": feedback_id or None,
        "faults": [fault._asdict() for fault in faults],
        "changed_at": event.at_ms,
        "task_version": event.version,
    }
    topic = f"credit.sanctions.task.{department}.v1"
    return Outgoing(topic, task_id.encode(), schemas.encode(TASK, record), kind=KIND, subject=task_id)


def _task(task: Task | None) -> dict[str, Any]:
    if task is None:
        empty = dict.fromkeys(("memorandum", "measure", "measure_text", "article"), "")
        return {**empty, **dict.fromkeys(("subject_id", "subject_code", "subject_name", "record_id", "due_on"))}
    return {
        "memorandum": task.memorandum,
        "measure": task.measure,
        "measure_text": task.measure_text,
        "article": task.article,
        "subject_id": task.subject.subject_id,
        "subject_code": task.subject.code,
        "subject_name": task.subject.name,
        "record_id": task.record_id,
        "due_on": task.due_on,
    }
