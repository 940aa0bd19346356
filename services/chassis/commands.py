"""Commands: writes that arrive on `credit.<service>.command.v1` and are answered with their correlation id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from services.chassis import parking
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.prefix import prefix_reader
from services.chassis.wire import HEAD, schema_id_of

COMMAND = "credit.command.v1"
OUTCOME = "credit.outcome.v1"
_front = prefix_reader(["string", "string"])  # command_id and type


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


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was sent; `arguments` is its parsed JSON object."""

    command_id: str
    type: str
    issued_by: str
    arguments: dict[str, Any]


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
        _, record = codec.decode(message.value)
        arguments = json.loads(record["arguments"])
        command = Command(record["command_id"], record["type"], record["issued_by"], arguments)
    except (KeyError, ValueError, TypeError) as error:
        raise Unhandleable("COMMAND_UNREADABLE", type(error).__name__) from error
    if not isinstance(arguments, dict):
        raise Unhandleable("COMMAND_UNREADABLE", "arguments are no object")
    return command


def type_of(codec: Codec, message: Message) -> str:
    """The type of a command without decoding it twice: routing asks first, the handler reads it whole."""
    if message.value is not None and schema_id_of(message.value) == codec.schema_id(COMMAND):
        kind: str = _front(message.value, HEAD.size)[1]
        return kind
    return read_command(codec, message).type


def answer(codec: Codec, service: str, command: Command, faults: Sequence[Fault], now_ms: int) -> Outgoing:
    """The outcome of a command, for whoever waits for its correlation id."""
    record = {
        "command_id": command.command_id,
        "type": command.type,
        "outcome": "REFUSED" if faults else "DONE",
        "faults": [fault._asdict() for fault in faults],
        "answered_at": now_ms,
    }
    correlation = command.command_id.encode()
    headers = (("correlation_id", correlation),)
    return Outgoing(outcome_topic(service), correlation, codec.encode(OUTCOME, record), None, headers)


class Release(NamedTuple):
    """An operator's wish to release a parked message and all that is parked behind it."""

    command: Command
    topic: str
    partition: int
    offset: int
    now_ms: int


class ReleaseAnswered(NamedTuple):
    """What became of it."""

    there: bool


class ParkedKeys:
    """The aggregate behind `release_parked`: it only marks; the lane's owner takes the messages up in order."""

    name = "parked"

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def key(self, given: Release) -> tuple[str, int, int]:
        return given.topic, given.partition, given.offset

    async def load(self, tx: Transaction, given: Sequence[Release]) -> dict[tuple[str, int, int], bool]:
        rows = await tx.fetch(
            'SELECT topic, partition, "offset" FROM parked WHERE (topic, partition, "offset") IN '
            "(SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[]))",
            [g.topic for g in given],
            [g.partition for g in given],
            [g.offset for g in given],
        )
        return {(row["topic"], row["partition"], row["offset"]): True for row in rows}

    def initial(self, key: tuple[str, int, int]) -> bool:
        return False

    def decide(self, state: bool, given: Release) -> Sequence[tuple[Release, ReleaseAnswered]]:
        return [(given, ReleaseAnswered(state))]

    def evolve(self, state: bool, event: tuple[Release, ReleaseAnswered]) -> bool:
        return state

    async def save(
        self,
        tx: Transaction,
        before: Mapping[tuple[str, int, int], bool],
        after: Mapping[tuple[str, int, int], bool],
        events: Sequence[tuple[tuple[str, int, int], tuple[Release, ReleaseAnswered]]],
    ) -> None:
        for key, (given, event) in events:
            if event.there:
                await parking.release(tx, *key, given.now_ms)

    def announce(self, event: tuple[Release, ReleaseAnswered], given: Release) -> Iterable[Outgoing]:
        faults = () if event[1].there else (NOT_PARKED,)
        yield answer(self._codec, self._service, given.command, faults, given.now_ms)

    def timers(self, event: tuple[Release, ReleaseAnswered], given: Release) -> Iterable[Timer]:
        return ()


NOT_PARKED = Fault(
    "NOT_PARKED", "offset", "the message must be parked", "", "该消息未被搁置", "no such message is parked", ""
)


def release_handler(service: str, codec: Codec) -> Handler:
    """The handler of `release_parked`, which every service has."""

    def read(message: Message, moment: Moment) -> Release:
        command = read_command(codec, message)
        try:
            where = command.arguments
            return Release(command, str(where["topic"]), int(where["partition"]), int(where["offset"]), moment.now_ms)
        except (KeyError, ValueError, TypeError) as error:
            raise Unhandleable("COMMAND_UNREADABLE", type(error).__name__) from error

    return Handler("command:release_parked", ParkedKeys(service, codec), read)
