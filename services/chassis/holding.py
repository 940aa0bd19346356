"""The lanes that this process holds, and the client that reads them: from where, and whether at all."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from services.chassis.lanes import Lane, LaneId
from services.chassis.surroundings import Observer


class Holding:
    """The claimed lanes; one that is stopped stays held, so that nobody reads it."""

    def __init__(self, consumer: Any, observer: Observer) -> None:
        self.lanes: dict[LaneId, Lane] = {}
        self.broken: set[LaneId] = set()  # stopped by the breaker; the store knows them too
        self.refused: set[LaneId] = set()  # given to this process, and not taken over: what it holds of them is wrong
        self._consumer = consumer  # an AIOKafkaConsumer, which has no types: each use below gives its own
        self._observer = observer

    def take_up(self, lane: Lane, first_offset: int) -> None:
        """Read a lane that was claimed; `first_offset` is the first one that the broker still has."""
        self.lanes[lane.id] = lane
        self.seek(lane)
        if lane.next_offset < first_offset:
            # Unread messages are gone: to read on would lose them in silence.
            self.stop(lane, "offset_out_of_range")
        elif lane.id in self.broken:
            self.stop(lane, "breaker")

    def refuse(self, place: LaneId, why: str) -> None:
        """Neither read it nor hold it: nothing is committed for it, nothing said, and no timer of it fires."""
        self.lanes.pop(place, None)
        self.refused.add(place)
        self._pause(place, why)

    def leave_all(self) -> None:
        """Others may read them from now on."""
        for place in sorted(self.refused.union(place for place, lane in self.lanes.items() if lane.stopped)):
            self._observer.event("lane_left", topic=place.topic, partition=place.partition)
        for known in (self.lanes, self.broken, self.refused):
            known.clear()

    def seek(self, lane: Lane) -> None:
        """Read next what the store says is next."""
        # A topic that appears takes every assignment away until the group has met again; then the lane is claimed anew.
        with suppress(IllegalStateError):
            self._consumer.seek(TopicPartition(*lane.id), lane.next_offset)

    def stop(self, lane: Lane, why: str) -> None:
        """Read no more of it until an operator has looked."""
        lane.stopped = True
        self._pause(lane.id, why)

    def _pause(self, place: LaneId, why: str) -> None:
        with suppress(IllegalStateError):  # as above; the claim that follows stops it again
            self._consumer.pause(TopicPartition(*place))
        self._observer.event("lane_stopped", topic=place.topic, partition=place.partition, why=why)

    def resume(self, place: LaneId) -> None:
        """An operator has closed its breaker."""
        self.broken.discard(place)
        if (lane := self.lanes.get(place)) and lane.stopped:
            lane.stopped = False
            self.seek(lane)
            with suppress(IllegalStateError):  # as in `stop`
                self._consumer.resume(TopicPartition(*place))
            self._observer.event("lane_resumed", topic=place.topic, partition=place.partition)

    def lags(self) -> Iterable[tuple[Lane, int]]:
        """How many messages wait in each lane, as far as the client knows."""
        assigned: set[TopicPartition] = self._consumer.assignment()
        for lane in self.lanes.values():
            if TopicPartition(*lane.id) not in assigned:
                continue  # a rebalance has begun: the lane is still held, but there is nothing to ask about
            end: int = self._consumer.highwater(TopicPartition(*lane.id)) or 0
            yield lane, max(0, end - max(lane.next_offset, lane.passed))
