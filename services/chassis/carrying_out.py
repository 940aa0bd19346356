"""Carries out orders about parked messages: what they find and change in the database, and how they are answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis.commands import Codec, answer, read_command
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.orders import (
    Kind,
    Lot,
    OrderEvent,
    OrderGiven,
    OrderKnown,
    OrderRefused,
    OrderTaken,
    Place,
    decide,
    evolve,
)
from services.chassis.parking import time_of

LOT = "lot"  # the one aggregate: everything that is parked here

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
