"""The fake's side of the contract: broker, consumers and producers in memory, on virtual time."""

from __future__ import annotations

import contextvars
import random
from typing import Any

from aiokafka import TopicPartition

from tests.contract.sim.broker.case import Case, Heard
from tests.sim.broker import Broker
from tests.sim.consumer import Consumer
from tests.sim.producer import Producer
from tests.sim.troubles import Troubles
from tests.sim.virtual import VirtualLoop

PATTERN = r"^sim\.case\."


class FakeBus:
    """A broker of its own for each case."""

    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self._outside = contextvars.copy_context()
        self.broker = Broker(loop, self._outside, random.Random(f"{seed}/broker"))

    async def topic(self, name: str, partitions: int = 1) -> str:
        """As `Bus` has it."""
        self.broker.create(f"sim.case.{name}", partitions)
        return f"sim.case.{name}"

    async def consumer(self, instance: str = "a", heard: Heard | None = None) -> Any:
        """As `Bus` has it."""
        consumer = Consumer(self.broker, "group", instance)
        consumer.subscribe(PATTERN, heard or Heard())
        await consumer.start()
        return consumer

    async def producer(self) -> Any:
        """As `Bus` has it."""
        return await self._producer(0.0)

    async def forbidden(self) -> Any:
        """As `Bus` has it."""
        return await self._producer(1.0)

    async def _producer(self, refused: float) -> Producer:
        troubles = Troubles(random.Random("quiet"), self._outside)
        troubles.raging, troubles.refused, troubles.unanswered = True, refused, 0.0
        producer = Producer(self.broker, troubles)
        await producer.start()
        return producer

    async def aborted(self, topic: str, count: int) -> None:
        """As `Bus` has it."""
        self.broker.abort(TopicPartition(topic, 0), count)

    async def die(self, consumer: Any) -> None:
        """As `Bus` has it."""
        await consumer.stop()


def run(case: Case, seed: int = 1) -> None:
    """One case from beginning to end; a case that waits for what nobody does ends with `Stuck`."""
    loop = VirtualLoop()
    try:
        loop.run(_check(case, FakeBus(loop, seed)))
    finally:
        loop.close()


async def _check(case: Case, bus: FakeBus) -> None:
    await case.check(bus)
