"""Avro <-> domain, both ways."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, get_args

from services.chassis import commands
from services.chassis.commands import command_topic, read_command
from services.chassis.editions import Codec, own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment, Outgoing
from services.chassis.prefix import prefix_reader, prefix_writer
from services.chassis.schemas import Schemas
from services.chassis.wire import frame
from services.national_sync.domain.events import Action, Answered, Event, PushWanted, Verdict
from services.national_sync.domain.exchange import Answer, Irrelevant, RecordSeen, RetryDue

LINKED = "credit.identity.record.v1"
EXCHANGE = "credit.national-sync.exchange.v1"
TEXT_LIMIT = 500
CODE_LIMIT = 64

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
# ExchangeChanged: exchange_id, version, item, state, attempt, answer_code, answer_text, changed_at.
_exchange = prefix_writer(["fixed16", "long", "string", "string", "long", "string?", "string?", "long"])
_json = json.JSONEncoder(ensure_ascii=False).encode
_head = prefix_reader(list(_HEAD.values()))
_rest = prefix_reader(list(_REST.values()))


def read_record(codec: Codec, items: Collection[str], message: Message, moment: Moment) -> RecordSeen | Irrelevant:
    """A linked record; items that the nation does not collect are left after six fields."""
    body = own_body(codec, LINKED, _FIELDS, message.value)
    _, _, _, record_id, version, item, at = _head(body, 0)
    if item not in items:
        return Irrelevant()
    _, _, _, action, _, _, _, _, submission, _ = _rest(body, at)
    push: Action = "delete" if action == "withdraw" else "put"
    return RecordSeen(record_id, version, item, push, submission, moment.now_ms)


def read_answer(schemas: Schemas, message: Message, moment: Moment) -> Answer:
    """A `record_answer` command; raises `Unhandleable` for what the gateway would never write."""
    arguments = read_command(schemas, message).arguments
    try:
        verdict, action = arguments["verdict"], arguments["action"]
        if verdict not in get_args(Verdict) or action not in get_args(Action):
            raise ValueError("verdict or action")
        return Answer(
            bytes.fromhex(arguments["record_id"]),
            int(arguments["version"]),
            int(arguments["attempt"]),
            action,
            verdict,
            _storable(arguments["code"], CODE_LIMIT),
            _storable(arguments["text"], TEXT_LIMIT),
            moment.now_ms,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise Unhandleable("COMMAND_UNREADABLE", type(error).__name__) from error


def answer_command(schemas: Schemas, answer: Answer) -> Outgoing:
    """The command by which the gateway tells an answer; its id is the same when the same push is told again."""
    record_id = answer.record_id.hex()
    command_id = f"{record_id}:{answer.version}:{answer.attempt}:{answer.verdict}"
    arguments = {
        "record_id": record_id,
        "version": answer.version,
        "attempt": answer.attempt,
        "action": answer.action,
        "verdict": answer.verdict,
        "code": answer.code,
        "text": answer.text,
    }
    value = commands.written(schemas, command_id, "record_answer", "svc-national-sync", answer.at_ms, _json(arguments))
    headers = (("correlation_id", command_id.encode()),)
    return Outgoing(command_topic("national_sync"), answer.record_id, value, headers=headers)


def _storable(text: str, limit: int) -> str:
    """Cut, and without NUL, which PostgreSQL text cannot hold."""
    return str(text)[:limit].replace("\0", "\ufffd")


def read_retry(message: Message, moment: Moment) -> RetryDue:
    """A timer: its key is the record, its body the version; raises `Unhandleable` for a body that is no number."""
    try:
        version = int(message.value or b"")
    except ValueError as error:
        raise Unhandleable("TIMER_UNREADABLE", type(error).__name__) from error
    return RetryDue(message.key, version, moment.now_ms)


def read_submission(schemas: Schemas, submission: bytes) -> dict[str, Any]:
    """Envelope and payload as the agency sent them; raises `Unhandleable`."""
    _, record = schemas.decode(submission)
    if not isinstance(record.get("payload"), dict):
        raise Unhandleable("NO_PAYLOAD")
    return record


def exchange_changed(schemas: Schemas, record_id: bytes, event: Event) -> Outgoing | None:
    """What the world is told; an answer that came too late moves nothing and is told to nobody.

    A record, its answers and its timers come in three lanes, and nothing orders what lanes publish. That needs no
    counter: what is told orders itself. The higher version is the later; of one version a final answer (ACKNOWLEDGED,
    REFUSED) is the last, be it to an earlier attempt; else the higher attempt, and of that RETRYING is after PENDING.
    """
    if not isinstance(event, Answered):
        attempt = 1 if isinstance(event, PushWanted) else event.attempt
        told = ("PENDING", attempt, None, None)
    elif event.moves_to is None:
        return None
    else:
        told = (event.moves_to, event.attempt, event.code, event.text)
    body = _exchange(record_id, event.version, event.item, *told, event.at_ms)
    return Outgoing(EXCHANGE, record_id, frame(schemas.schema_id(EXCHANGE), body))
