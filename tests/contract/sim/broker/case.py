"""A case of the contract: a check that is made of a broker and its clients, whichever of the two they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition


class Heard(ConsumerRebalanceListener):
    """What a consumer was told of its assignment, in order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, list[TopicPartition]]] = []

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as in the lane loop
        self.said.append(("revoked", sorted(revoked)))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        self.said.append(("assigned", sorted(assigned)))


class Bus(Protocol):
    """A broker for one case. Clients are aiokafka's with the settings of production, or the fakes in their place."""

    async def topic(self, name: str, partitions: int = 1) -> str:
        """Make a topic; its full name, which the consumers' pattern fits."""
        ...

    async def consumer(self, instance: str = "a", heard: Heard | None = None) -> Any:
        """Started, a static member of the case's group, subscribed to the case's topics."""
        ...

    async def producer(self) -> Any:
        """Started, idempotent."""
        ...

    async def forbidden(self) -> Any:
        """A producer that may not write."""
        ...

    async def aborted(self, topic: str, count: int) -> None:
        """An outsider writes to partition 0 in a transaction and aborts it: offsets without a message."""
        ...

    async def die(self, consumer: Any) -> None:
        """As after SIGKILL: a member that says nothing any more."""
        ...


class Case(NamedTuple):
    """One check."""

    name: str
    check: Callable[[Bus], Awaitable[None]]


CASES: list[Case] = []


def case(check: Callable[[Bus], Awaitable[None]]) -> Callable[[Bus], Awaitable[None]]:
    """Register a check."""
    CASES.append(Case(check.__name__, check))
    return check


async def until(holds: Callable[[], Any]) -> None:
    """Wait for what another task brings about; who waits for ever is ended by the test's time limit."""
    while not holds():  # noqa: ASYNC110 - clients tell nobody
        await asyncio.sleep(0.02)


async def assigned(consumer: Any, *places: TopicPartition) -> None:
    """Until the group has given the consumer exactly these partitions."""
    await until(lambda: set(consumer.assignment()) == set(places))


async def reader(bus: Bus, topic: str) -> tuple[Any, TopicPartition]:
    """A consumer at the beginning of a topic with one partition."""
    consumer, place = await bus.consumer(), TopicPartition(topic, 0)
    await assigned(consumer, place)
    consumer.seek(place, 0)
    return consumer, place


async def begin(consumer: Any, topic: str, partitions: int) -> None:
    """Read a topic from its beginning, once all of it is assigned."""
    places = [TopicPartition(topic, number) for number in range(partitions)]
    await assigned(consumer, *places)
    for place in places:
        consumer.seek(place, 0)


async def read(consumer: Any, count: int, *only: TopicPartition) -> list[Any]:
    """The next records, at least so many."""
    found: list[Any] = []
    while len(found) < count:
        for rows in (await consumer.getmany(*only, timeout_ms=200, max_records=2000)).values():
            found += rows
    return found


async def write(producer: Any, topic: str, *values: bytes, partition: int = 0) -> None:
    """One record after the other, acknowledged."""
    sent = [await producer.send(topic, value, key=b"k", partition=partition, headers=[]) for value in values]
    for future in sent:
        await future
