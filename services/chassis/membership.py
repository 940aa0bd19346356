"""What the consumer group says before lanes are claimed: that they are this member's, and how far they had come.

A process that was frozen for longer than its session still believes in its old assignment until a heartbeat has been
refused. A commit is the one public call of the client that the coordinator answers by member and generation, so one is
made, of what is committed already: accepted, nobody else has been given these lanes and nobody will be for a session;
refused, the client joins the group again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.chassis import kafka
from services.chassis.errors import Transient
from services.chassis.lanes import LaneId

ANSWER_S = kafka.ANSWER_MS / 1000 + 1  # the client notices first that a connection is dead, and takes another one


class Grant(NamedTuple):
    """The coordinator's word that these lanes are this member's.

    `first`: the first offset of each that the broker still has. `shown`: how far every lane of the service had come at
    least, this member's or not. `since`: seconds of the event loop's clock; a commit counts as a heartbeat.
    """

    lanes: frozenset[LaneId]
    first: Mapping[LaneId, int]
    shown: Mapping[LaneId, int]
    since: float

    def expired(self) -> bool:
        """Whether the group may have given the lanes to another member since."""
        return asyncio.get_running_loop().time() - self.since > kafka.SESSION_MS / 1000


async def ask(consumer: Any, wanted: Iterable[LaneId]) -> Grant:
    """Three questions in two rounds; raises `Transient` when the group refuses or does not answer.

    Never within a turn: the answer may wait for a rebalance, and a rebalance waits for the turn.
    """
    lanes = frozenset(wanted)
    places = [TopicPartition(*lane) for lane in sorted(lanes)]
    try:
        async with asyncio.timeout(ANSWER_S):
            first, shown = await asyncio.gather(_first(consumer, places), _shown(consumer))
            since = asyncio.get_running_loop().time()
            await consumer.commit({place: shown.get(place, 0) for place in places})
    except (CommitFailedError, IllegalStateError) as error:
        raise Transient("group", type(error).__name__) from error
    except (KafkaError, OSError) as error:
        raise Transient("broker", type(error).__name__) from error
    return Grant(lanes, _by_lane(first), _by_lane(shown), since)


async def _first(consumer: Any, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    return await consumer.beginning_offsets(places)


async def _shown(consumer: Any) -> dict[TopicPartition, int]:
    """What the group has committed, in all partitions of its topics: one request each, all on the way at once."""
    places = [TopicPartition(t, p) for t in consumer.subscription() for p in consumer.partitions_for_topic(t) or ()]
    offsets: list[int | None] = await asyncio.gather(*map(consumer.committed, places))
    return {place: offset for place, offset in zip(places, offsets, strict=True) if offset is not None}


def _by_lane(offsets: Mapping[TopicPartition, int]) -> dict[LaneId, int]:
    return {LaneId(place.topic, place.partition): offset for place, offset in offsets.items()}
