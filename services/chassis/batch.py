"""One batch, decided message by message: the part of a turn that needs no broker and no clock."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.chassis import parking
from services.chassis.commands import command_topic
from services.chassis.errors import Unhandleable
from services.chassis.handling import Aggregate, Handler, Service, Transaction
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message, Moment, Outgoing, Timer

AnyAggregate = Aggregate[Any, Any, Any, Any]
Route = Callable[[Message], Handler | None]


@dataclass(frozen=True, slots=True)
class Given:
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
    outcomes: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def count(self, topic: str, outcome: str) -> None:
        self.outcomes[topic, outcome] += 1


class Decider:
    """Turns the messages of a batch into events, states, outgoing events, timers and parked messages."""

    def __init__(self, service: Service, route: Route) -> None:
        self._service = service
        self._route = route

    async def run(
        self, tx: Transaction, batch: Batch, messages: Sequence[tuple[Lane, Message]], released: bool = False
    ) -> None:
        """Decide these messages in order and save what changed; one query per table for all of them."""
        for aggregate, group in _by_aggregate(self._read(batch, messages, released)):
            await self._decide(tx, batch, aggregate, group)

    def _read(self, batch: Batch, messages: Sequence[tuple[Lane, Message]], released: bool) -> list[Given]:
        read: list[Given] = []
        for lane, message in messages:
            blocked = batch.blocked.setdefault(lane.id, set() if released else set(lane.parked))
            if not released and self._repeated(batch, lane, message):
                batch.count(message.topic, "duplicate")
            elif message.key in blocked and message.offset >= 0:
                self.park(batch, lane, message, parking.BEHIND, "")
            else:
                self._read_one(batch, lane, message, read)
        return read

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
        heard = batch.heard.setdefault(lane.id, dict(lane.origins))
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
        batch.outgoing[lane.id].extend(self._service.parked(message, code))
        batch.count(message.topic, "parked")

    def park_culprit(self, batch: Batch, lane: Lane, message: Message, trace: str) -> None:
        """Park what the process died of. It counts as heard: a repeat would be parked behind it and be applied too."""
        if not self._repeated(batch, lane, message):
            self.park(batch, lane, message, "CRASHED", trace)

    async def _decide(self, tx: Transaction, batch: Batch, aggregate: AnyAggregate, group: Sequence[Given]) -> None:
        before = await aggregate.load(tx, [g.given for g in group])
        after: dict[Hashable, Any] = {}
        events: list[tuple[Hashable, Any]] = []
        for item in group:
            key = aggregate.key(item.given)
            state = after[key] if key in after else before[key] if key in before else aggregate.initial(key)
            try:
                decided = aggregate.decide(state, item.given)
            except Unhandleable as trouble:
                self.park(batch, item.lane, item.message, trouble.code, trouble.detail)
                continue
            for event in decided:
                state = aggregate.evolve(state, event)
                events.append((key, event))
                batch.outgoing[item.lane.id].extend(aggregate.announce(event, item.given))
                batch.timers.extend((item.lane.id, timer) for timer in aggregate.timers(event, item.given))
            if decided:
                after[key] = state
            batch.count(item.message.topic, "applied")
        if events:
            await aggregate.save(tx, before, after, events)


def _by_aggregate(read: Iterable[Given]) -> Iterable[tuple[AnyAggregate, list[Given]]]:
    """Inputs grouped by aggregate, both in order of appearance; `outgoing` keeps that order per lane."""
    groups: dict[int, tuple[AnyAggregate, list[Given]]] = {}
    for item in read:
        aggregate = item.handler.aggregate
        groups.setdefault(id(aggregate), (aggregate, []))[1].append(item)
    return groups.values()


def router(service: Service, command_type: Callable[[Message], str]) -> Route:
    """Which handler a message goes to: exact topic, then prefix; commands by type, timers by kind."""
    exact = {h.topic: h for h in service.handlers if not h.topic.endswith("*")}
    prefixes = [(h.topic[:-1], h) for h in service.handlers if h.topic.endswith("*")]
    commands = command_topic(service.name)

    def route(message: Message) -> Handler | None:
        if (kind := message.header("timer")) is not None and message.offset < 0:
            return exact.get(f"timer:{kind.decode()}")
        if message.topic == commands:
            return exact.get(f"command:{command_type(message)}") or exact.get(commands)
        found = exact.get(message.topic)
        return found or next((h for prefix, h in prefixes if message.topic.startswith(prefix)), None)

    return route


def pattern_of(service: Service) -> str:
    """What a service subscribes to: its handlers' topics and prefixes, and always its own commands."""
    topics = [handler.topic for handler in service.handlers if ":" not in handler.topic]
    exact = sorted({t for t in topics if not t.endswith("*")} | {command_topic(service.name)})
    prefixes = sorted(t[:-1] for t in topics if t.endswith("*"))
    return "^(?:" + "|".join([re.escape(t) + "$" for t in exact] + [re.escape(t) for t in prefixes]) + ")"
