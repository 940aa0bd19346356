"""Consumer groups: who has what, who is told, and who may commit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

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


@case
async def what_the_group_has_committed_is_told_to_every_member(bus: Bus) -> None:
    topic = await bus.topic("t", 2)
    consumer = await bus.consumer()
    await assigned(consumer, *places(topic, 0, 1))
    await consumer.commit({TopicPartition(topic, 0): 2})
    other = await bus.consumer("b")
    await assigned(other, *places(topic, 1))
    assert [await other.committed(place) for place in places(topic, 0, 1)] == [2, None]


@case
async def a_member_knows_its_topics_and_their_partitions(bus: Bus) -> None:
    topic = await bus.topic("t", 2)
    consumer = await bus.consumer()
    await assigned(consumer, *places(topic, 0, 1))
    assert set(consumer.subscription()) == {topic}
    assert consumer.partitions_for_topic(topic) == {0, 1}
    assert not consumer.partitions_for_topic("sim.nowhere")


@case
async def who_was_replaced_may_not_commit_and_joins_again_by_itself(bus: Bus) -> None:
    topic, heard = await bus.topic("t"), Heard()
    first = await bus.consumer("a", heard)
    await assigned(first, *places(topic, 0))
    await until(lambda: heard.said)
    told = len(heard.said)
    second = await bus.consumer("a")
    await assigned(second, *places(topic, 0))
    with pytest.raises(CommitFailedError):
        await first.commit({TopicPartition(topic, 0): 1})
    await until(lambda: [what for what, _ in heard.said[told:]][:2] == ["revoked", "assigned"])
    await first.commit({TopicPartition(topic, 0): 2})
    assert await first.committed(TopicPartition(topic, 0)) == 2


class Committing(Heard):
    """Commits at the last moment: when it is told to give up what it has."""

    consumer: Any = None

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as in the lane loop
        if gone := list(revoked):
            await self.consumer.commit(dict.fromkeys(gone, 3))
            self.said.append(("committed", gone))


@case
async def a_member_may_commit_until_it_has_given_up_what_it_had(bus: Bus) -> None:
    topic, heard = await bus.topic("t", 2), Committing()
    heard.consumer = await bus.consumer("a", heard)
    await assigned(heard.consumer, *places(topic, 0, 1))
    other = await bus.consumer("b")
    await assigned(other, *places(topic, 1))
    assert ("committed", places(topic, 0, 1)) in [(what, sorted(which)) for what, which in heard.said]
    assert await other.committed(TopicPartition(topic, 1)) == 3
