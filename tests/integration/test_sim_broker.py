"""The contract of the simulator's broker, asked of Kafka; `tests/contract/sim/test_broker.py` asks the fake."""

# pyright: reportPrivateImportUsage=false
# The library re-exports its own classes without saying so.

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.fetcher import PartitionRecords
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.local import passwords
from services.chassis import kafka
from services.chassis.settings import Address, Settings
from tests.contract.sim.broker import CASES
from tests.contract.sim.broker.case import Case, Heard
from tests.support.stack import Stack, eventually

pytestmark = pytest.mark.stack
NOWHERE = Address("127.0.0.1", 1)
numbers = count()


class RealBus:
    """Topics and a group of the case's own; clients with the settings of production."""

    def __init__(self, stack: Stack, clients: AsyncExitStack) -> None:
        self._stack, self._clients = stack, clients
        self.prefix = f"sim.{stack.layout.port_base}-{next(numbers)}."

    def _settings(self, instance: str, user: str = "platform-admin") -> Settings:
        layout = self._stack.layout
        secret, here = passwords.password(layout.secrets, user), layout.var
        name = f"contract-{self.prefix}{instance}"
        kafka_address, pg = layout.address("kafka"), "pg://x/y"
        return Settings(name, 0, kafka_address, user, secret, pg, "p", "http://r", NOWHERE, NOWHERE, here, here, {})

    async def topic(self, name: str, partitions: int = 1) -> str:
        """As `Bus` has it."""
        await asyncio.to_thread(self._stack.make_topics, self.prefix + name, partitions=partitions)
        return self.prefix + name

    async def consumer(self, instance: str = "a", heard: Heard | None = None) -> Any:
        """As `Bus` has it."""
        pattern = "^" + re.escape(self.prefix)
        settings = kafka.consumer_settings(self._settings(instance), pattern)
        settings |= {"group_id": f"contract-{self.prefix}", "group_instance_id": instance}
        consumer: Any = AIOKafkaConsumer(**settings)
        consumer.subscribe(pattern=pattern, listener=heard or Heard())
        await consumer.start()
        self._clients.push_async_callback(consumer.stop)
        return consumer

    async def producer(self) -> Any:
        """As `Bus` has it."""
        return await self._producer("platform-admin")

    async def forbidden(self) -> Any:
        """As `Bus` has it."""
        return await self._producer("svc-national-sync")

    async def _producer(self, user: str) -> Any:
        settings: Any = kafka.producer_settings(self._settings(f"p{next(numbers)}", user)) | {
            "request_timeout_ms": 10_000
        }
        producer: Any = AIOKafkaProducer(**settings)
        await producer.start()
        self._clients.push_async_callback(producer.stop)
        return producer

    async def aborted(self, topic: str, count: int) -> None:
        """As `Bus` has it."""
        await asyncio.to_thread(self._abort, topic, count)

    def _abort(self, topic: str, count: int) -> None:
        connection = self._stack.as_user("platform-admin").settings()
        producer = Producer(connection | {"transactional.id": f"contract-{self.prefix}{next(numbers)}"})
        end = self._end(topic)
        producer.init_transactions(20)
        producer.begin_transaction()
        for _ in range(count):
            producer.produce(topic, b"never said", b"k", partition=0)
        assert producer.flush(20) == 0
        producer.abort_transaction(20)
        # The coordinator writes the mark after it has answered.
        eventually(lambda: self._end(topic) == end + count + 1, f"the mark of an aborted transaction in {topic}")

    def _end(self, topic: str) -> int:
        consumer = Consumer(self._stack.as_user("platform-admin").settings() | {"group.id": "contract"})
        try:
            return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=20)[1])
        finally:
            consumer.close()

    async def die(self, consumer: Any) -> None:
        """As `Bus` has it. A static member does not say goodbye when it is stopped."""
        await consumer.stop()

    def remove(self) -> None:
        """Without a trace."""
        admin: Any = AdminClient(self._stack.as_user("platform-admin").settings())
        names = [name for name in admin.list_topics(timeout=10).topics if name.startswith(self.prefix)]
        gone: dict[str, Any] = admin.delete_topics(names) if names else {}
        for future in gone.values():
            future.result(20)


@pytest.fixture(autouse=True)
def messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the services, consumers give messages; elsewhere in this process they do not."""
    monkeypatch.setattr(PartitionRecords, "_consumer_record", PartitionRecords._consumer_record)
    kafka.consume_messages()


async def _check(stack: Stack, case: Case) -> None:
    async with asyncio.timeout(120), AsyncExitStack() as clients:
        bus = RealBus(stack, clients)
        try:
            await case.check(bus)
        finally:
            await asyncio.to_thread(bus.remove)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_kafka_keeps_the_contract(stack: Stack, case: Case) -> None:
    asyncio.run(_check(stack, case))
