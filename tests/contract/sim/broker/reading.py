"""Consumers: where they read, how much, and what they say when they cannot."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, NoOffsetForPartitionError

from tests.contract.sim.broker.case import Bus, assigned, begin, case, read, reader, until, write

ELSEWHERE = TopicPartition("sim.elsewhere", 0)


@case
async def a_partition_without_an_offset_is_named_and_not_skipped(bus: Bus) -> None:
    topic = await bus.topic("t")
    await write(await bus.producer(), topic, b"1")
    consumer, place = await bus.consumer(), TopicPartition(topic, 0)
    await assigned(consumer, place)
    with pytest.raises(NoOffsetForPartitionError):
        while not await consumer.getmany(timeout_ms=200, max_records=9):
            pass
    consumer.seek(place, 0)
    assert [r.value for r in await read(consumer, 1)] == [b"1"]


@case
async def a_seek_reads_again_from_there(bus: Bus) -> None:
    topic = await bus.topic("t")
    await write(await bus.producer(), topic, b"0", b"1", b"2")
    consumer, place = await reader(bus, topic)
    assert [r.offset for r in await read(consumer, 3)] == [0, 1, 2]
    assert await consumer.position(place) == 3
    consumer.seek(place, 1)
    assert [r.offset for r in await read(consumer, 2)] == [1, 2]


@case
async def no_more_is_given_than_was_asked_for(bus: Bus) -> None:
    topic = await bus.topic("t")
    await write(await bus.producer(), topic, *[b"v"] * 9)
    consumer, _ = await reader(bus, topic)
    found: list[int] = []
    while len(found) < 9:
        for rows in (await consumer.getmany(timeout_ms=200, max_records=4)).values():
            assert 0 < len(rows) <= 4
            found += [row.offset for row in rows]
    assert found == list(range(9))


@case
async def only_what_was_asked_for_is_given(bus: Bus) -> None:
    topic, producer = await bus.topic("t", 2), await bus.producer()
    await write(producer, topic, b"zero", partition=0)
    await write(producer, topic, b"one", partition=1)
    consumer = await bus.consumer()
    await begin(consumer, topic, 2)
    assert [r.value for r in await read(consumer, 1, TopicPartition(topic, 1))] == [b"one"]
    assert await consumer.getmany(TopicPartition(topic, 1), timeout_ms=300, max_records=9) == {}
    assert [r.value for r in await read(consumer, 1)] == [b"zero"]


@case
async def an_empty_hand_comes_when_the_time_is_over(bus: Bus) -> None:
    consumer, _ = await reader(bus, await bus.topic("t"))
    assert await consumer.getmany(timeout_ms=50, max_records=9) == {}


@case
async def the_end_is_known_once_a_fetch_was_answered(bus: Bus) -> None:
    topic = await bus.topic("t")
    await write(await bus.producer(), topic, b"0", b"1")
    consumer, place = await reader(bus, topic)
    await read(consumer, 2)
    assert consumer.highwater(place) == 2
    with pytest.raises(AssertionError):
        consumer.highwater(ELSEWHERE)


@case
async def nothing_was_deleted_at_the_beginning(bus: Bus) -> None:
    topic = await bus.topic("t")
    await write(await bus.producer(), topic, b"0")
    consumer, place = await reader(bus, topic)
    assert await consumer.beginning_offsets([place]) == {place: 0}


@case
async def a_paused_partition_gives_nothing_until_it_is_resumed(bus: Bus) -> None:
    topic, producer = await bus.topic("t", 2), await bus.producer()
    consumer = await bus.consumer()
    await begin(consumer, topic, 2)
    consumer.pause(TopicPartition(topic, 0))
    await write(producer, topic, b"zero", partition=0)
    await write(producer, topic, b"one", partition=1)
    assert [r.value for r in await read(consumer, 1)] == [b"one"]
    assert await consumer.getmany(timeout_ms=300, max_records=9) == {}
    consumer.resume(TopicPartition(topic, 0))
    assert [r.value for r in await read(consumer, 1)] == [b"zero"]


@case
async def what_is_not_assigned_cannot_be_asked_for(bus: Bus) -> None:
    consumer, _ = await reader(bus, await bus.topic("t"))
    for ask in (lambda: consumer.seek(ELSEWHERE, 0), lambda: consumer.pause(ELSEWHERE)):
        with pytest.raises(IllegalStateError):
            ask()
    with pytest.raises(IllegalStateError):
        consumer.resume(ELSEWHERE)
    with pytest.raises(IllegalStateError):
        await consumer.position(ELSEWHERE)
    with pytest.raises(IllegalStateError):
        await consumer.commit({ELSEWHERE: 1})


@case
async def what_an_outsider_aborted_was_never_said_and_has_its_offsets(bus: Bus) -> None:
    topic, producer = await bus.topic("t"), await bus.producer()
    await write(producer, topic, b"before")
    await bus.aborted(topic, 2)
    await write(producer, topic, b"after")
    consumer, place = await reader(bus, topic)
    assert [(r.offset, r.value) for r in await read(consumer, 2)] == [(0, b"before"), (4, b"after")]
    await bus.aborted(topic, 1)
    assert await consumer.getmany(timeout_ms=500, max_records=9) == {}

    async def passed() -> bool:
        await consumer.getmany(timeout_ms=50, max_records=9)
        return bool(await consumer.position(place) == 7)

    while not await passed():
        pass
    await until(lambda: consumer.highwater(place) == 7)
