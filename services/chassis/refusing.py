"""Answers commands that are not allowed; nothing changes by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.chassis.authority import NOT_ALLOWED, Authority
from services.chassis.commands import Codec, Command, Fault, answer, read_command
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer


class Refused(NamedTuple):
    """A command with what stands against it; both input and event."""

    command: Command
    fault: Fault
    now_ms: int


class Refusals:
    """An aggregate without a state: every command of this kind is refused."""

    name = "refusal"

    def __init__(self, service: str, codec: Codec) -> None:
        self._service, self._codec = service, codec

    def key(self, given: Refused) -> str:
        return given.command.command_id

    async def load(self, tx: Transaction, given: Sequence[Refused]) -> dict[str, None]:
        return {}

    def initial(self, key: str) -> None:
        return None

    def decide(self, state: None, given: Refused) -> Sequence[Refused]:
        return (given,)

    def evolve(self, state: None, event: Refused) -> None:
        return None

    async def save(
        self,
        tx: Transaction,
        before: Mapping[str, None],
        after: Mapping[str, None],
        events: Sequence[tuple[str, Refused]],
    ) -> None:
        """There is nothing to keep."""

    def announce(self, event: Refused, given: Refused) -> Iterable[Outgoing]:
        yield answer(self._codec, self._service, event.command, (event.fault,), event.now_ms)

    def timers(self, event: Refused, given: Refused) -> Iterable[Timer]:
        return ()


def handler(service: str, codec: Codec, authority: Authority) -> Handler:
    """Of everything that is routed as `NOT_ALLOWED`."""

    def read(message: Message, moment: Moment) -> Refused:
        command = read_command(codec, message)
        fault = authority.objection(command, message)
        if fault is None:  # a command whose own type is empty
            raise Unhandleable("NO_HANDLER")
        return Refused(command, fault, moment.now_ms)

    return Handler(f"command:{NOT_ALLOWED}", Refusals(service, codec), read)
