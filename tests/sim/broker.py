"""The broker's side: partitions, consumer groups with static members, producers' sequence numbers."""

from __future__ import annotations

import asyncio
import random
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from aiokafka import TopicPartition

from services.chassis.message import Headers

SESSION_S = 10.0
LOOK_S = 2.0


class Entry(NamedTuple):
    """One record of a partition; its offset is its index."""

    key: bytes
    value: bytes | None
    headers: Headers
    timestamp: int


class Member(Protocol):
    """A consumer, as its group sees it."""

    instance: str
    pattern: re.Pattern[str]

    def wake(self) -> None: ...


class Seat:
    """What a group knows of one member."""

    def __init__(self, member: Member, seen: float) -> None:
        self.member, self.seen = member, seen
        self.joining: asyncio.Future[frozenset[TopicPartition]] | None = None
        self.assigned: frozenset[TopicPartition] = frozenset()


class Group:
    """Eager rebalancing: all give up what they have, meet, and get it anew. Who is silent for a session is left out."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._seats: dict[str, Seat] = {}
        self._meeting = False
        self._looking = False
        self.committed: dict[TopicPartition, int] = {}
        self.generation = 0

    def join(self, member: Member) -> asyncio.Future[frozenset[TopicPartition]]:
        """The member's part, when all have met. A static member that comes back is given what it had, at once."""
        loop = self._broker.loop
        seat = self._seats.get(member.instance)
        future: asyncio.Future[frozenset[TopicPartition]] = loop.create_future()
        if seat is not None and seat.member is not member and not self._meeting and not self._new_topics(member):
            seat.member, seat.seen = member, loop.time()
            future.set_result(seat.assigned)
            return future
        seat = self._seats.setdefault(member.instance, Seat(member, loop.time()))
        seat.member, seat.seen, seat.joining = member, loop.time(), future
        self._meeting = True
        self._settle()
        if not self._looking:
            self._looking = True
            loop.call_later(LOOK_S, self._look, context=self._broker.outside)
        return future

    def _new_topics(self, member: Member) -> bool:
        """Topics made while the member was away: it asks for an assignment anew (see `kafka.ask_for_assignment`)."""
        return {place.topic for place in self.places()} != set(filter(member.pattern.match, self._broker.topics))

    def heartbeat(self, member: Member) -> bool:
        """False: the member must join again (a rebalance has begun, or it was left out)."""
        seat = self._seats.get(member.instance)
        if seat is None or seat.member is not member:
            return False
        seat.seen = self._broker.loop.time()
        return not self._meeting

    def places(self) -> set[TopicPartition]:
        """Everything that is assigned to somebody."""
        return {place for seat in self._seats.values() for place in seat.assigned}

    def subscribed(self) -> set[TopicPartition]:
        """Everything that should be assigned to somebody."""
        patterns = [seat.member.pattern for seat in self._seats.values()]
        topics = {topic for topic in self._broker.topics if any(pattern.match(topic) for pattern in patterns)}
        return {TopicPartition(topic, number) for topic in topics for number in range(len(self._broker.topics[topic]))}

    def accepts(self, member: Member, generation: int) -> bool:
        """Whether a commit is taken: of a member of this generation, until it joins the next; it counts as a heartbeat.

        Which partitions it is for the coordinator does not look at.
        """
        seat = self._seats.get(member.instance)
        if seat is None or seat.member is not member or seat.joining is not None or generation != self.generation:
            return False
        seat.seen = self._broker.loop.time()
        return True

    def holder(self, place: TopicPartition) -> Member | None:
        """Whom the group has given this partition, and who has not come to give it back."""
        held = (seat for seat in self._seats.values() if place in seat.assigned and seat.joining is None)
        return next((seat.member for seat in held), None)

    def call_together(self) -> None:
        """A rebalance for no reason at all, as an operator's tool or a flapping member causes it."""
        self._meeting = bool(self._seats)

    def _look(self) -> None:
        now = self._broker.loop.time()
        late = [name for name, seat in self._seats.items() if now - seat.seen > SESSION_S and seat.joining is None]
        for name in late if not self._broker.away else ():
            del self._seats[name]
            self._meeting = True
        self._settle()
        self._broker.loop.call_later(LOOK_S, self._look, context=self._broker.outside)

    def _settle(self) -> None:
        """Range assignment, once everybody who is left has joined."""
        if not self._meeting or not self._seats or any(seat.joining is None for seat in self._seats.values()):
            return
        self._meeting = False
        self.generation += 1
        names = sorted(self._seats)
        parts: dict[str, set[TopicPartition]] = {name: set() for name in names}
        for topic, logs in self._broker.topics.items():
            takers = [name for name in names if self._seats[name].member.pattern.match(topic)]
            for number in range(len(logs) if takers else 0):
                parts[takers[number * len(takers) // len(logs)]].add(TopicPartition(topic, number))
        for name in names:
            seat = self._seats[name]
            seat.assigned, joining, seat.joining = frozenset(parts[name]), seat.joining, None
            if joining is not None and not joining.done():
                joining.set_result(seat.assigned)


class Broker:
    """Topics, groups and the switch to be away; `appended` hears of every record as it is written."""

    def __init__(self, loop: Any, outside: Any, chance: random.Random) -> None:
        self.loop, self.outside, self.chance = loop, outside, chance
        self.topics: dict[str, list[list[Entry | None]]] = {}  # None: an offset without a message
        self.groups: dict[str, Group] = defaultdict(lambda: Group(self))
        self.readers: dict[TopicPartition, set[Member]] = defaultdict(set)
        self.sequences: dict[tuple[int, TopicPartition], int] = {}
        self.appended: list[Callable[[TopicPartition, int, Entry], None]] = []
        self.away = False
        self._producers = 0

    def create(self, topic: str, partitions: int) -> None:
        """A new topic; consumers whose pattern it fits find it with their next look at the metadata."""
        self.topics[topic] = [[] for _ in range(partitions)]

    def producer_id(self) -> int:
        """For a new idempotent producer."""
        self._producers += 1
        return self._producers

    def append(self, place: TopicPartition, entries: list[Entry]) -> None:
        """Write a batch and wake who waits for it."""
        log = self.topics[place.topic][place.partition]
        for entry in entries:
            log.append(entry)
            for hear in self.appended:
                hear(place, len(log) - 1, entry)
        self._wake(place)

    def _wake(self, place: TopicPartition) -> None:
        for member in sorted(self.readers[place], key=lambda m: m.instance):
            member.wake()

    def abort(self, place: TopicPartition, count: int) -> None:
        """What an outsider's transaction leaves that was aborted: its messages and a mark, which nobody is given."""
        self.topics[place.topic][place.partition] += [None] * (count + 1)
        self._wake(place)

    def last(self, place: TopicPartition) -> int:
        """The offset of the last message; -1: there is none."""
        log = self.topics[place.topic][place.partition]
        return next((at for at in range(len(log) - 1, -1, -1) if log[at] is not None), -1)

    def end(self, place: TopicPartition) -> int:
        """The offset that the next record will have."""
        return len(self.topics[place.topic][place.partition])
