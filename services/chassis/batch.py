"""One batch, decided message by message: the part of a turn that needs no broker and no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.chassis import parking
from services.chassis.errors import Unhandleable
from services.chassis.handling import Aggregate, Handler, Service, Transaction
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.routing import Route, by_topic

AnyAggregate = Aggregate[Any, Any, Any, Any]
Refused = dict[tuple[LaneId, bytes], int]  # the first offset of a key that could not be decided


class Given(NamedTuple):
    """An input with the handler and the message it came from."""

    lane: Lane
    message: Message
    handler: Handler
    given: Any


@dataclass(slots=True)
class Batch:
    """What a turn reads, and what came of it."""

    moment: Moment
    outgoing: dict[LaneId, list[Outgoing]] = field(default_factory=lambda: defaultdict(list))
    timers: list[tuple[LaneId, Timer]] = field(default_factory=list[tuple[LaneId, Timer]])
    parked: list[parking.Parked] = field(default_factory=list[parking.Parked])
    blocked: dict[LaneId, set[bytes]] = field(default_factory=dict[LaneId, set[bytes]])
    heard: dict[LaneId, dict[str, int]] = field(default_factory=dict[LaneId, dict[str, int]])
    new_origins: dict[str, int] = field(default_factory=dict[str, int])
    taken: int = 0  # timers, and parked messages that an operator has released or discarded
    outcomes: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def count(self, topic: str, outcome: str) -> None:
        self.outcomes[topic, outcome] += 1


class Decider:
    """Turns the messages of a batch into events, states, outgoing events, timers and parked messages."""

    def __init__(self, service: Service, route: Route) -> None:
        self._service = service
        self._route = route
        self._by_topic = by_topic(service)

    async def run(
        self, tx: Transaction, batch: Batch, messages: Sequence[tuple[Lane, Message]], released: bool = False
    ) -> None:
        """Decide these messages in order and save what changed; one query per table for all of them."""
        refused: Refused = {}
        for aggregate, group in _by_aggregate(self._read(batch, messages, released)):
            await self._decide(tx, batch, aggregate, group, refused)

    def _read(self, batch: Batch, messages: Sequence[tuple[Lane, Message]], released: bool) -> list[Given]:
        read: list[Given] = []
        certain = self._read_many(batch.moment, messages)
        for index, (lane, message) in enumerate(messages):
            blocked = batch.blocked.get(lane.id)
            if blocked is None:
                blocked = batch.blocked[lane.id] = set() if released else set(lane.parked)
            if not released and self._repeated(batch, lane, message):
                batch.count(message.topic, "duplicate")
            elif message.key and message.key in blocked and message.offset >= 0:
                self.park(batch, lane, message, parking.BEHIND, "")
            elif (given := certain.get(index)) is not None:
                read.append(given)
            else:
                self._read_one(batch, lane, message, read)
        return read

    def _read_many(self, moment: Moment, messages: Sequence[tuple[Lane, Message]]) -> dict[int, Given]:
        """By index, what handlers that read a batch at once are certain of. A message that is dropped after all was
        read in vain, which does no harm: reading is pure.
        """
        places: dict[str, tuple[Handler, list[int]]] = {}
        for index, (_, message) in enumerate(messages):
            handler = self._by_topic(message.topic)
            if handler is not None and handler.read_many is not None and message.offset >= 0:  # below 0: a timer
                places.setdefault(handler.topic, (handler, []))[1].append(index)
        certain: dict[int, Given] = {}
        for handler, indexes in places.values():
            assert handler.read_many is not None
            answers = handler.read_many([messages[i][1] for i in indexes], moment)
            pairs = zip(indexes, answers, strict=True)
            certain |= {i: Given(*messages[i], handler, given) for i, given in pairs if given is not None}
        return certain

    def _read_one(self, batch: Batch, lane: Lane, message: Message, read: list[Given]) -> None:
        try:
            handler = self._route(message)
            if handler is None:
                raise Unhandleable("NO_HANDLER")
            read.append(Given(lane, message, handler, handler.read(message, batch.moment)))
        except Unhandleable as trouble:
            self.park(batch, lane, message, trouble.code, trouble.detail)

    def _repeated(self, batch: Batch, lane: Lane, message: Message) -> bool:
        """At or below the highest position heard from this origin in this lane: said before, drop it."""
        origin, position = message.header("origin"), message.header("position")
        if origin is None or position is None:
            return False
        heard = batch.heard.get(lane.id)
        if heard is None:
            heard = batch.heard[lane.id] = dict(lane.origins)
        name, number = origin.decode(), int(position)
        if number <= heard.get(name, 0):
            return True
        heard[name] = number
        return False

    def park(self, batch: Batch, lane: Lane, message: Message, code: str, detail: str) -> None:
        """Put a message aside, with everything of its key that follows; its sender is told that it waits."""
        batch.parked.append(parking.Parked(message, code, detail))
        if message.key:
            batch.blocked.setdefault(lane.id, set(lane.parked)).add(message.key)
        batch.outgoing[lane.id].extend(self._service.parked(message, code, batch.moment))
        batch.count(message.topic, "parked")

    def discard(self, batch: Batch, lane: Lane, message: Message) -> None:
        """A parked message that an operator has thrown away: its sender has the last word coming."""
        batch.outgoing[lane.id].extend(self._service.discarded(message, batch.moment))
        batch.count(message.topic, "discarded")

    def park_culprit(self, batch: Batch, lane: Lane, message: Message, trace: str) -> None:
        """Park what the process died of. It counts as heard: a repeat would be parked behind it and be applied too."""
        if not self._repeated(batch, lane, message):
            self.park(batch, lane, message, parking.CRASHED, trace)

    async def _decide(
        self, tx: Transaction, batch: Batch, aggregate: AnyAggregate, group: Sequence[Given], refused: Refused
    ) -> None:
        before = await aggregate.load(tx, [g.given for g in group])
        after: dict[Hashable, Any] = {}
        events: list[tuple[Hashable, Any]] = []
        for item in group:
            if refused and _waits(item, refused):
                self.park(batch, item.lane, item.message, parking.BEHIND, "")
                continue
            key = aggregate.key(item.given)
            state = after[key] if key in after else before[key] if key in before else aggregate.initial(key)
            try:
                decided = aggregate.decide(state, item.given)
            except Unhandleable as trouble:
                self.park(batch, item.lane, item.message, trouble.code, trouble.detail)
                refused.setdefault((item.lane.id, item.message.key), item.message.offset)
                continue
            for event in decided:
                state = aggregate.evolve(state, event)
                events.append((key, event))
                batch.outgoing[item.lane.id].extend(aggregate.announce(event, item.given))
                for timer in aggregate.timers(event, item.given):
                    batch.timers.append((item.lane.id, timer))
            if decided:
                after[key] = state
            batch.count(item.message.topic, "applied")
        if events:
            await aggregate.save(tx, before, after, events)


def _waits(item: Given, refused: Refused) -> bool:
    """A message that came after one of its key which could not be decided; it had been read by then."""
    key, offset = item.message.key, item.message.offset
    at = refused.get((item.lane.id, key))
    return bool(key) and at is not None and offset > max(at, -1)  # a timer, below 0, waits for no message


def _by_aggregate(read: Iterable[Given]) -> Iterable[tuple[AnyAggregate, list[Given]]]:
    """Inputs grouped by aggregate, both in order of appearance; `outgoing` keeps that order per lane."""
    groups: dict[int, tuple[AnyAggregate, list[Given]]] = {}
    for item in read:
        aggregate = item.handler.aggregate
        groups.setdefault(id(aggregate), (aggregate, []))[1].append(item)
    return groups.values()
