"""The answers of the national platform, as the gateway tells them to the lanes."""

from __future__ import annotations

from typing import Any, cast, get_args

from services.chassis.commands import read_command
from services.chassis.editions import Codec, own_body
from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Moment, Outgoing
from services.chassis.prefix import prefix_reader, prefix_writer
from services.chassis.schemas import Schemas
from services.chassis.wire import frame
from services.national_sync.domain.events import Action, Verdict
from services.national_sync.domain.inputs import Answer

ANSWER = "credit.national-sync.answer.v1"
TEXT_LIMIT = 500
CODE_LIMIT = 64
VERDICTS = frozenset(get_args(Verdict))
ACTIONS = frozenset(get_args(Action))

# PushAnswered in the edition that this code knows.
_FIELDS = {
    "record_id": "fixed16",
    "version": "long",
    "attempt": "long",
    "action": "string",
    "verdict": "string",
    "code": "string",
    "text": "string",
    "answered_at": "long",
}
_read = prefix_reader(list(_FIELDS.values()))
_written = prefix_writer(list(_FIELDS.values()))


def answer_told(schemas: Schemas, answer: Answer) -> Outgoing:
    """An answer on its way to the lane of its record."""
    return Outgoing(ANSWER, answer.record_id, frame(schemas.schema_id(ANSWER), _written(*answer)))


def read_answer(codec: Codec, message: Message, moment: Moment) -> Answer:
    """An answer of the gateway; raises `Unhandleable` for what it would never write."""
    body = own_body(codec, ANSWER, _FIELDS, message.value)
    record_id, version, attempt, action, verdict, code, text, _, end = _read(body, 0)
    if end != len(body):
        raise Unhandleable("AVRO_UNREADABLE", "bytes left over")
    return _answer(record_id, version, attempt, action, verdict, code, text, moment)


def read_answer_command(codec: Codec, message: Message, moment: Moment) -> Answer:
    """An answer as gateways told it before there was a topic for it: the command `record_answer`.

    Such commands may still lie before the lanes when this release takes over, and a replay reads all there ever were.
    """
    said = read_command(codec, message).arguments
    try:
        record_id, version, attempt = bytes.fromhex(said["record_id"]), int(said["version"]), int(said["attempt"])
        words = said["action"], said["verdict"], str(said["code"]), str(said["text"])
    except (KeyError, ValueError, TypeError) as error:
        raise Unhandleable("COMMAND_UNREADABLE", type(error).__name__) from error
    return _answer(record_id, version, attempt, *words, moment)


def _answer(
    record_id: bytes, version: int, attempt: int, action: Any, verdict: Any, code: str, text: str, moment: Moment
) -> Answer:
    if verdict not in VERDICTS or action not in ACTIONS:
        raise Unhandleable("ANSWER_UNREADABLE", "verdict or action")
    said = _storable(code, CODE_LIMIT), _storable(text, TEXT_LIMIT)
    return Answer(record_id, version, attempt, cast(Action, action), cast(Verdict, verdict), *said, moment.now_ms)


def _storable(text: str, limit: int) -> str:
    """Cut, and without NUL, which PostgreSQL text cannot hold."""
    return text[:limit].replace("\0", "\ufffd")
