"""Producers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError

from services.chassis.message import Outgoing
from services.chassis.record_batch import Sealed
from services.chassis.sealing import Stamp, seal
from tests.contract.sim.broker.case import Bus, begin, case, read, reader, write


@case
async def records_come_back_as_they_were_written_and_in_order(bus: Bus) -> None:
    topic, producer = await bus.topic("t"), await bus.producer()
    first = await producer.send(topic, b"v", key=b"k", partition=0, headers=[("a", b"1"), ("b", b"")])
    second = await producer.send(topic, None, key=b"", partition=0, headers=[])
    await asyncio.gather(first, second)
    consumer, place = await reader(bus, topic)
    one, two = await read(consumer, 2)
    assert (one.topic, one.partition, one.offset) == (*place, 0)
    assert (one.key, one.value, tuple(one.headers)) == (b"k", b"v", (("a", b"1"), ("b", b"")))
    assert (two.offset, two.key, two.value, tuple(two.headers)) == (1, b"", None, ())
    assert one.timestamp_ms > 1_500_000_000_000


@case
async def batches_of_one_partition_keep_their_order(bus: Bus) -> None:
    topic, producer = await bus.topic("t", 2), await bus.producer()
    sent: list[asyncio.Future[object]] = []
    for number in range(20):
        batch = producer.create_batch()
        assert batch.append(timestamp=1_511_503_200_000, key=b"k", value=b"%d" % number, headers=[]) is not None
        batch.close()
        assert batch.record_count() == 1
        sent.append(await producer.send_batch(batch, topic, partition=1))
    written: list[Any] = await asyncio.gather(*sent)
    assert [(w.topic, w.partition, w.offset) for w in written] == [(topic, 1, n) for n in range(20)]
    consumer = await bus.consumer()
    await begin(consumer, topic, 2)
    found = await read(consumer, 20)
    assert [(r.partition, r.offset, r.value) for r in found] == [(1, n, b"%d" % n) for n in range(20)]
    assert {r.timestamp_ms for r in found} == {1_511_503_200_000}


@case
async def a_sealed_batch_is_written_as_it_was_sealed(bus: Bus) -> None:
    topic, producer = await bus.topic("t"), await bus.producer()
    events = [Outgoing(topic, b"k%d" % n, b"v", None, (("x", b"1"),)) for n in range(3)]
    sealed = seal([((topic, 0), event) for event in events], 7, Stamp("s", b"s/1/t/0", 1_511_503_200_000), 1000)
    for batch in sealed:
        await (await producer.send_batch(Sealed(batch), topic, partition=0))
    consumer, _ = await reader(bus, topic)
    found = await read(consumer, 3)
    assert [(r.offset, r.key, dict(r.headers)["position"]) for r in found] == [
        (0, b"k0", b"7"), (1, b"k1", b"8"), (2, b"k2", b"9"),
    ]  # fmt: skip
    assert {dict(r.headers)["origin"] for r in found} == {b"s/1/t/0"}


@case
async def a_topic_has_as_many_partitions_as_it_was_made_with(bus: Bus) -> None:
    topic, producer = await bus.topic("t", 3), await bus.producer()
    assert set(await producer.partitions_for(topic)) == {0, 1, 2}


@case
async def a_topic_that_is_not_there_is_an_error_of_the_clients(bus: Bus) -> None:
    producer = await bus.producer()
    with pytest.raises(UnknownTopicOrPartitionError):
        await producer.partitions_for("sim.nowhere")
    assert issubclass(UnknownTopicOrPartitionError, KafkaError)


@case
async def who_may_not_write_is_told_so(bus: Bus) -> None:
    topic, producer = await bus.topic("t"), await bus.forbidden()
    with pytest.raises(TopicAuthorizationFailedError):
        await (await producer.send(topic, b"v", key=b"k", partition=0, headers=[]))
    await write(await bus.producer(), topic, b"well")
    consumer, _ = await reader(bus, topic)
    assert [(r.offset, r.value) for r in await read(consumer, 1)] == [(0, b"well")]


@case
async def what_two_producers_write_is_written_twice(bus: Bus) -> None:
    topic = await bus.topic("t")
    for _ in range(2):
        await write(await bus.producer(), topic, b"v")
    consumer, _ = await reader(bus, topic)
    assert [r.offset for r in await read(consumer, 2)] == [0, 1]
