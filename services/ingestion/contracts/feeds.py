"""Commands about feeds -> inputs; their events -> outcomes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from services.chassis import commands
from services.chassis.commands import Codec, Command
from services.chassis.message import Message, Moment, Outgoing
from services.ingestion.contracts.reference import SERVICE, told
from services.ingestion.contracts.register import Register
from services.ingestion.domain.envelope import china_day
from services.ingestion.domain.events import CommandRefused
from services.ingestion.domain.expectation import ExpectationEvent, ExpectFeed, read_expect


class FeedAsked(NamedTuple):
    """An `expect_feed` command; `known`: the agency may submit the item."""

    command: Command
    wish: ExpectFeed
    known: bool
    now: int

    @property
    def today(self) -> int:
        """The day in China, since 1970."""
        return china_day(self.now)


class FeedReader:
    """Decodes commands about feeds; raises Unhandleable for what is none."""

    def __init__(self, codec: Codec, register: Register) -> None:
        self._codec, self._register = codec, register

    def expect_feed(self, message: Message, moment: Moment) -> FeedAsked:
        """`expect_feed`: agency, item, records, days (working days; default 1)."""
        command = commands.read_command(self._codec, message)
        wish = read_expect(command.command_id, command.arguments)
        known = wish.item in (self._register.sender(wish.agency).items or ())
        return FeedAsked(command, wish, known, moment.now_ms)


class FeedSpeaker:
    """Answers commands about feeds; nobody else is told."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def announce(self, event: ExpectationEvent, given: FeedAsked) -> Iterable[Outgoing]:
        """The outcome."""
        faults = event.faults if isinstance(event, CommandRefused) else ()
        return (commands.answer(self._codec, SERVICE, given.command, told(faults), given.now),)
