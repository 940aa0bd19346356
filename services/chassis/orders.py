"""Orders of an operator about parked messages: `release_parked` and `discard_parked`, which every service has.

An order names places (topic, partition, offset), thousands at once if need be. It only marks; the owner of the lane
takes the messages up in order, in one transaction with what follows from them, since nobody else knows what is being
read of their keys at this moment. To release a message is to release its key: all of it, in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from services.chassis.commands import Codec, Command, Fault, answer, read_command
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Transaction
from services.chassis.logs import LOOKS_LIKE_AN_ID
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.parking import time_of

Kind = Literal["release", "discard"]
LOT = "lot"  # the one aggregate: everything that is parked here
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


LOAD = """
SELECT topic, partition, "offset" FROM parked JOIN unnest($1::text[], $2::int[], $3::bigint[])
    AS asked (topic, partition, "offset") USING (topic, partition, "offset")
WHERE discarded_at IS NULL ORDER BY topic, partition, "offset" FOR UPDATE OF parked
"""
ANSWERED = "SELECT command_id, messages FROM orders WHERE command_id = ANY($1::text[])"
ENTER = """
INSERT INTO orders (command_id, kind, issued_by, reason, messages, decided_at) VALUES ($1, $2, $3, $4, $5, $6)
"""
RELEASE = """
UPDATE parked SET released_at = coalesce(parked.released_at, $4)
FROM (SELECT DISTINCT topic, partition, key, CASE WHEN key = '' THEN "offset" END AS alone
      FROM parked JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS asked (topic, partition, "offset")
      USING (topic, partition, "offset")) AS named
WHERE parked.topic = named.topic AND parked.partition = named.partition AND parked.key = named.key
  AND parked."offset" = coalesce(named.alone, parked."offset")
"""
DISCARD = """
UPDATE parked SET discarded_at = $4, discarded_by = $5
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS named (topic, partition, "offset")
WHERE parked.topic = named.topic AND parked.partition = named.partition AND parked."offset" = named."offset"
"""


class Orders:
    """The aggregate behind both commands."""

    name = "orders"

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def key(self, given: OrderGiven) -> str:
        return LOT

    async def load(self, tx: Transaction, given: Sequence[OrderGiven]) -> dict[str, Lot]:
        rows = await tx.fetch(LOAD, *_columns({place for order in given for place in order.places}))
        answered = await tx.fetch(ANSWERED, [order.command.command_id for order in given])
        parked = frozenset(Place(*row.values()) for row in rows)
        return {LOT: Lot(parked, {row["command_id"]: row["messages"] for row in answered})}

    def initial(self, key: str) -> Lot:
        return Lot()

    def decide(self, state: Lot, given: OrderGiven) -> Sequence[OrderEvent]:
        return decide(state, given)

    def evolve(self, state: Lot, event: OrderEvent) -> Lot:
        return evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[str, Lot],
        after: Mapping[str, Lot],
        events: Sequence[tuple[str, OrderEvent]],
    ) -> None:
        for _, event in events:
            if isinstance(event, OrderTaken):
                command, at = event.command, time_of(event.at_ms)
                kept = (event.kind, command.issued_by, event.reason, len(event.places), at)
                await tx.execute(ENTER, command.command_id, *kept)
                more = (at, command.command_id) if event.kind == "discard" else (at,)
                await tx.execute(DISCARD if event.kind == "discard" else RELEASE, *_columns(event.places), *more)

    def announce(self, event: OrderEvent, given: OrderGiven) -> Iterable[Outgoing]:
        faults = event.faults if isinstance(event, OrderRefused) else ()
        found = len(event.places) if isinstance(event, OrderTaken) else 0
        found = event.messages if isinstance(event, OrderKnown) else found
        told = {"issued_by": given.command.issued_by, "reason": given.reason, "messages": found}
        detail = None if faults else json.dumps(told, ensure_ascii=False)
        yield answer(self._codec, self._service, given.command, faults, given.now_ms, detail)

    def timers(self, event: OrderEvent, given: OrderGiven) -> Iterable[Timer]:
        return ()


def _columns(places: Iterable[Place]) -> list[list[Any]]:
    rows = sorted(places)
    return [[row[at] for row in rows] for at in range(3)]


def handlers(service: str, codec: Codec) -> tuple[Handler, ...]:
    """`release_parked` and `discard_parked`: `places` ([[topic, partition, offset], ...]) or one place; `reason`."""
    orders = Orders(service, codec)

    def reader(kind: Kind) -> Any:
        def read(message: Message, moment: Moment) -> OrderGiven:
            command = read_command(codec, message)
            try:
                asked = command.arguments.get("places") or [[command.arguments[name] for name in Place._fields]]
                places = tuple(Place(str(topic), int(partition), int(offset)) for topic, partition, offset in asked)
            except (KeyError, ValueError, TypeError) as error:
                raise Unhandleable("COMMAND_UNREADABLE", type(error).__name__) from error
            reason = str(command.arguments.get("reason") or "").replace("\0", "")
            return OrderGiven(command, kind, places, reason, moment.now_ms)

        return read

    return tuple(Handler(f"command:{kind}_parked", orders, reader(kind)) for kind in ("release", "discard"))
