"""Orders of an operator about parked messages: `release_parked` and `discard_parked`, which every service has.

An order names places (topic, partition, offset), thousands at once if need be. It only marks; the owner of the lane
takes the messages up in order, in one transaction with what follows from them, since nobody else knows what is being
read of their keys at this moment. To release a message is to release its key: all of it, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from services.chassis.commands import Command, Fault
from services.chassis.logs import LOOKS_LIKE_AN_ID

Kind = Literal["release", "discard"]
REASON_LIMIT = 500

NOT_PARKED = Fault(
    "NOT_PARKED", "offset", "the message must be parked", "", "该消息未被搁置", "no such message is parked", ""
)
REASON_MISSING = Fault(
    "REASON_MISSING", "reason", f"1 to {REASON_LIMIT} characters", "", "必须说明理由", "a reason must be given", ""
)
REASON_NAMES = Fault(
    "REASON_NAMES", "reason", "no code of a person or an organisation", "", "理由中不得含主体代码",
    "the reason must not hold a code of a person or an organisation", "",
)  # fmt: skip


class Place(NamedTuple):
    """Where a parked message lay on its topic."""

    topic: str
    partition: int
    offset: int


class OrderGiven(NamedTuple):
    """An order as it came."""

    command: Command
    kind: Kind
    places: tuple[Place, ...]
    reason: str
    now_ms: int


class OrderTaken(NamedTuple):
    """An order that is carried out for these places."""

    command: Command
    kind: Kind
    places: tuple[Place, ...]
    reason: str
    at_ms: int


class OrderKnown(NamedTuple):
    """An order that was answered before; it found as many messages then."""

    messages: int


class OrderRefused(NamedTuple):
    """An order that is not carried out."""

    faults: tuple[Fault, ...]


OrderEvent = OrderTaken | OrderKnown | OrderRefused


@dataclass(frozen=True, slots=True)
class Lot:
    """Of the places that orders name those where something is parked, and the orders that were answered before."""

    parked: frozenset[Place] = frozenset()
    answered: Mapping[str, int] = field(default_factory=dict[str, int])


def decide(state: Lot, given: OrderGiven) -> Sequence[OrderEvent]:
    """One event for every order."""
    known = state.answered.get(given.command.command_id)
    if known is not None:
        return (OrderKnown(known),)
    found = tuple(place for place in dict.fromkeys(given.places) if place in state.parked)
    faults = () if given.kind == "release" else tuple(_reason_faults(given.reason))
    if not found:
        faults = (*faults, NOT_PARKED)
    if faults:
        return (OrderRefused(faults),)
    return (OrderTaken(given.command, given.kind, found, given.reason, given.now_ms),)


def _reason_faults(reason: str) -> Iterable[Fault]:
    if not reason.strip() or len(reason) > REASON_LIMIT:
        yield REASON_MISSING
    elif LOOKS_LIKE_AN_ID.search(reason):
        yield REASON_NAMES


def evolve(state: Lot, event: OrderEvent) -> Lot:
    """What is discarded is no longer parked; what is released still is until its lane's owner takes it up."""
    if not isinstance(event, OrderTaken):
        return state
    gone = frozenset(event.places) if event.kind == "discard" else frozenset[Place]()
    return Lot(state.parked - gone, {**state.answered, event.command.command_id: len(event.places)})
