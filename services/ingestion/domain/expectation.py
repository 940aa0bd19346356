"""What an operator expects of a feed (应报量): so many records in so many working days; the last word stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.ingestion.domain.agency import CODE, REMEMBERED
from services.ingestion.domain.events import CommandRefused, CommandRepeated
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.silence import Expected

MOST_RECORDS, MOST_DAYS = 10_000_000, 250
FeedKey = tuple[str, str]  # agency, item


class ExpectFeed(NamedTuple):
    """The command, with the values it carries."""

    command_id: str
    agency: str
    item: str
    records: int
    days: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class FeedExpected:
    """So much is expected of a feed from a day on."""

    command_id: str
    expected: Expected


ExpectationEvent = FeedExpected | CommandRepeated | CommandRefused


@dataclass(frozen=True, slots=True)
class Expectation:
    """What stands of a feed, and the last commands, so that a repeated one is answered as it was."""

    expected: Expected | None = None
    commands: tuple[str, ...] = ()


NOTHING = Expectation()


def read_expect(command_id: str, arguments: Mapping[str, Any]) -> ExpectFeed:
    """Take the arguments apart; whatever is wrong with them becomes a fault."""
    agency, item = arguments.get("agency"), arguments.get("item")
    records, days = arguments.get("records"), arguments.get("days", 1)
    faults: list[Fault] = []
    if not isinstance(agency, str) or not CODE.fullmatch(agency):
        faults.append(fault("COMMAND_ARGUMENTS", "agency", "420000-gsj", rule="6-digit region, -, short name"))
        agency = ""
    if not isinstance(item, str) or not 1 <= len(item) <= 100:
        faults.append(fault("COMMAND_ARGUMENTS", "item", "org-penalty", rule="the code of a catalogue item"))
        item = ""
    if not _within(records, 0, MOST_RECORDS):
        faults.append(fault("COMMAND_ARGUMENTS", "records", "400", rule=f"a whole number from 0 to {MOST_RECORDS}"))
        records = 0
    if not _within(days, 1, MOST_DAYS):
        faults.append(fault("COMMAND_ARGUMENTS", "days", "1", rule=f"working days, from 1 to {MOST_DAYS}"))
        days = 1
    return ExpectFeed(command_id, agency, item, int(records or 0), int(days), tuple(faults))


def _within(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def decide(state: Expectation, given: ExpectFeed, today: int, known: bool) -> Sequence[ExpectationEvent]:
    """`known`: the agency is registered for the item, so that nothing is expected of nobody."""
    if given.faults:
        return (CommandRefused(given.command_id, given.faults),)
    if given.command_id in state.commands:
        return (CommandRepeated(given.command_id),)
    if not known:
        return (CommandRefused(given.command_id, (fault("CATALOGUE_NOT_OWNED", "item"),)),)
    if state.expected and state.expected[:2] == (given.records, given.days):
        return (CommandRepeated(given.command_id),)
    return (FeedExpected(given.command_id, Expected(given.records, given.days, today)),)


def evolve(state: Expectation, event: ExpectationEvent) -> Expectation:
    """The state after an event."""
    if isinstance(event, FeedExpected):
        return Expectation(event.expected, (*state.commands, event.command_id)[-REMEMBERED:])
    return state
