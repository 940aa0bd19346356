"""Commands: writes that arrive on `credit.<service>.command.v1` and are answered with their correlation id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from services.chassis.errors import Unhandleable
from services.chassis.message import Message, Outgoing
from services.chassis.prefix import prefix_reader, prefix_writer
from services.chassis.wire import HEAD, frame, schema_id_of

COMMAND = "credit.command.v1"
OUTCOME = "credit.outcome.v1"
_FIELDS = ["string", "string", "string", "long", "string"]  # command_id, type, issued_by, issued_at, arguments
_front = prefix_reader(_FIELDS[:2])
_whole = prefix_reader(_FIELDS)
_written = prefix_writer(_FIELDS)


class Codec(Protocol):
    """The part of `Schemas` that commands need."""

    def schema_id(self, name: str) -> int: ...
    def encode(self, name: str, record: Mapping[str, Any]) -> bytes: ...
    def decode(self, framed: bytes) -> tuple[int, dict[str, Any]]: ...


class Fault(NamedTuple):
    """Why a command was refused, in the form of the contract."""

    code: str
    field: str
    rule: str
    clause: str
    message_zh: str
    message_en: str
    example: str


class Command(NamedTuple):
    """A command as it was sent; `arguments` is its parsed JSON object."""

    command_id: str
    type: str
    issued_by: str
    arguments: dict[str, Any]
    issued_at: int = 0  # milliseconds since 1970, by the sender's clock


def command_topic(service: str) -> str:
    """Where commands of a service go."""
    return f"credit.{service.replace('_', '-')}.command.v1"


def outcome_topic(service: str) -> str:
    """Where a service answers its commands."""
    return f"credit.{service.replace('_', '-')}.outcome.v1"


def read_command(codec: Codec, message: Message) -> Command:
    """Decode a command; raises `Unhandleable` for bytes that are none."""
    if message.value is None:
        raise Unhandleable("COMMAND_EMPTY")
    try:
        command_id, kind, issued_by, issued_at, said = _read(codec, message.value)
        arguments = json.loads(said)
        command = Command(command_id, kind, issued_by, arguments, issued_at)
    except (KeyError, ValueError, TypeError) as error:
        raise Unhandleable("COMMAND_UNREADABLE", type(error).__name__) from error
    if not isinstance(arguments, dict):
        raise Unhandleable("COMMAND_UNREADABLE", "arguments are no object")
    return command


def _read(codec: Codec, value: bytes) -> tuple[str, str, str, int, str]:
    if schema_id_of(value) != codec.schema_id(COMMAND):
        _, record = codec.decode(value)
        issued_at = round(record["issued_at"].timestamp() * 1000)
        return record["command_id"], record["type"], record["issued_by"], issued_at, record["arguments"]
    command_id, kind, issued_by, issued_at, said, end = _whole(value, HEAD.size)
    if end != len(value):
        raise Unhandleable("AVRO_UNREADABLE", "bytes left over")
    return command_id, kind, issued_by, issued_at, said


def written(codec: Codec, command_id: str, kind: str, issued_by: str, issued_at: int, arguments: str) -> bytes:
    """A command as it is sent; `issued_at` in ms since 1970, `arguments` a JSON object."""
    return frame(codec.schema_id(COMMAND), _written(command_id, kind, issued_by, issued_at, arguments))


def type_of(codec: Codec, message: Message) -> str:
    """The type of a command without decoding it twice: routing asks first, the handler reads it whole."""
    if message.value is not None and schema_id_of(message.value) == codec.schema_id(COMMAND):
        kind: str = _front(message.value, HEAD.size)[1]
        return kind
    return read_command(codec, message).type


def answer(
    codec: Codec, service: str, command: Command, faults: Sequence[Fault], now_ms: int, detail: str | None = None
) -> Outgoing:
    """The outcome of a command, for whoever waits for its correlation id; `detail`: what was done, as JSON."""
    record = {
        "command_id": command.command_id,
        "type": command.type,
        "outcome": "REFUSED" if faults else "DONE",
        "faults": [fault._asdict() for fault in faults],
        "answered_at": now_ms,
        "detail": detail,
    }
    correlation = command.command_id.encode()
    headers = (("correlation_id", correlation),)
    return Outgoing(outcome_topic(service), correlation, codec.encode(OUTCOME, record), None, headers)
