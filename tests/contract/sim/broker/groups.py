"""Consumer groups: who has what, who is told, and who may commit."""

from __future__ import annotations

from typing import Any

from aiokafka import TopicPartition

from tests.contract.sim.broker.case import Bus, Heard, assigned, begin, case, read, until, write


def places(topic: str, *partitions: int) -> list[TopicPartition]:
    """Partitions of a topic."""
    return [TopicPartition(topic, number) for number in partitions]


@case
async def a_member_alone_is_given_everything_and_told_so(bus: Bus) -> None:
    topic, heard = await bus.topic("t", 2), Heard()
    consumer = await bus.consumer("a", heard)
    await assigned(consumer, *places(topic, 0, 1))
    await until(lambda: heard.said)
    assert heard.said[-1] == ("assigned", places(topic, 0, 1))
    assert all(what == "assigned" or not which for what, which in heard.said)


@case
async def a_second_member_takes_its_part_once_the_first_has_given_it_up(bus: Bus) -> None:
    topic, heard = await bus.topic("t", 4), Heard()
    first = await bus.consumer("a", heard)
    await assigned(first, *places(topic, 0, 1, 2, 3))
    second = await bus.consumer("b")
    await assigned(second, *places(topic, 2, 3))
    await assigned(first, *places(topic, 0, 1))
    await until(lambda: heard.said[-1] == ("assigned", places(topic, 0, 1)))
    assert heard.said[-2] == ("revoked", places(topic, 0, 1, 2, 3))


@case
async def a_range_has_the_same_numbers_of_every_topic(bus: Bus) -> None:
    one, other = await bus.topic("t", 2), await bus.topic("u", 2)
    first, second = await bus.consumer("a"), await bus.consumer("b")
    await assigned(first, *places(one, 0), *places(other, 0))
    await assigned(second, *places(one, 1), *places(other, 1))


@case
async def a_static_member_that_died_comes_back_to_what_it_had(bus: Bus) -> None:
    topic, heard = await bus.topic("t", 2), Heard()
    first = await bus.consumer("a")
    other = await bus.consumer("b", heard)
    await assigned(first, *places(topic, 0))
    await assigned(other, *places(topic, 1))
    told = len(heard.said)
    await bus.die(first)
    again = await bus.consumer("a")
    await assigned(again, *places(topic, 0))
    assert set(other.assignment()) == set(places(topic, 1))
    assert len(heard.said) == told  # nobody else noticed


@case
async def a_topic_that_appears_is_found_and_shared_out(bus: Bus) -> None:
    topic, heard = await bus.topic("t"), Heard()
    consumer = await bus.consumer("a", heard)
    await assigned(consumer, *places(topic, 0))
    new = await bus.topic("u", 2)
    await assigned(consumer, *places(topic, 0), *places(new, 0, 1))
    await until(lambda: heard.said[-1][0] == "assigned" and len(heard.said[-1][1]) == 3)
    assert heard.said[-2] == ("revoked", places(topic, 0))


@case
async def a_committed_offset_is_where_the_next_client_stands(bus: Bus) -> None:
    topic = await bus.topic("t")
    await write(await bus.producer(), topic, b"0", b"1", b"2")
    first: Any = await bus.consumer()
    await begin(first, topic, 1)
    await first.commit({TopicPartition(topic, 0): 2})
    await bus.die(first)
    second = await bus.consumer()
    await assigned(second, *places(topic, 0))
    assert [r.offset for r in await read(second, 1)] == [2]
