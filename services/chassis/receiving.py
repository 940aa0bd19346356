"""Fetches the messages of a turn: from which lanes, how many, and what an empty hand means."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from services.chassis.errors import Transient
from services.chassis.holding import Holding
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message
from services.chassis.turn_size import BATCH_LIMIT, TurnSize

FEW_WAIT = 200  # messages: then all lanes are served together
LANES_A_TURN = 2
FETCH_WAIT_MS = 200


class Receiver:
    """The reading side of the client."""

    def __init__(self, consumer: Any, holding: Holding, size: TurnSize, linger_ms: int) -> None:
        self._consumer = consumer  # an AIOKafkaConsumer, which has no types: each use below gives its own
        self._holding = holding
        self._size = size
        self._linger_s = linger_ms / 1000
        self._rounds = 0  # turns in which not all lanes were served

    async def fetch(self, suspects: Sequence[Lane]) -> list[tuple[Lane, Message]]:
        """What waits, at most a batch; of suspects one message alone. Raises `Transient` while the broker is away."""
        served = suspects or self._served()
        if self._linger_s and not served:
            # A turn costs the same for one message as for many; the client fetches on meanwhile.
            await asyncio.sleep(self._linger_s)
        only = [TopicPartition(*lane.id) for lane in served]
        try:
            records: dict[TopicPartition, list[Message]] = await self._consumer.getmany(
                *only, timeout_ms=FETCH_WAIT_MS, max_records=1 if suspects else self._size.limit
            )
        except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
            self._out_of_range(error)
            return []
        except (KafkaError, OSError) as error:
            raise Transient("broker", type(error).__name__) from error
        for lane in suspects:
            if self._nothing_waits(lane):
                lane.attempts = 0  # there is nothing to suspect
        if not records:
            await self._pass_over()
        held = self._holding.lanes
        return [(lane, m) for tp, rows in records.items() if (lane := held.get(LaneId(*tp))) for m in rows]

    def _served(self) -> list[Lane]:
        """The lanes of this turn: all while little waits, else the longest unserved until a batch is full or two are.

        What a lane says goes out in record batches of its own, one for each partition it speaks to. From many lanes a
        little each, these are tiny, and both broker and compressor are paid by the batch.
        """
        waiting = {lane.id: messages for lane, messages in self._holding.lags() if messages and not lane.stopped}
        if sum(waiting.values()) <= FEW_WAIT:
            return []
        served: list[Lane] = []
        for lane in sorted((self._holding.lanes[i] for i in waiting), key=lambda lane: lane.served):
            served.append(lane)
            if len(served) == LANES_A_TURN or sum(waiting[lane.id] for lane in served) >= BATCH_LIMIT:
                break
        self._rounds += 1
        for lane in served:
            lane.served = self._rounds
        return served

    async def _pass_over(self) -> None:
        """Offsets without a message (marks of an outsider's transactions, what he aborted) are no lag.

        The hand is empty, so what the client has gone past was none; where it has not got to may hold something.
        """
        for lane, messages in list(self._holding.lags()):
            if messages and not lane.stopped:
                with suppress(IllegalStateError, TimeoutError):  # a rebalance has begun, or it does not know yet
                    position: int = await asyncio.wait_for(self._consumer.position(TopicPartition(*lane.id)), 1)
                    lane.passed = max(lane.passed, position)

    def _nothing_waits(self, lane: Lane) -> bool:
        """Known only after a fetch was answered: an empty hand alone may mean that the answer is still on its way.

        Offsets without a message do not wait: else a suspect with nothing but these would keep all other lanes waiting.
        """
        place = TopicPartition(*lane.id)
        assigned: set[TopicPartition] = self._consumer.assignment()
        end: int | None = self._consumer.highwater(place) if place in assigned else None
        return end is not None and end <= max(lane.next_offset, lane.passed)

    def _out_of_range(self, error: Exception) -> None:
        """Before the seek of a claim the consumer may ask for an offset it does not have: harmless. After: stop."""
        found: Mapping[TopicPartition, int] = error.args[0] if isinstance(error, OffsetOutOfRangeError) else {}
        for tp, offset in found.items():
            lane = self._holding.lanes.get(LaneId(tp.topic, tp.partition))
            if lane is not None and lane.next_offset == offset:
                self._holding.stop(lane, "offset_out_of_range")
        for lane in self._holding.lanes.values():
            if not lane.stopped:
                self._holding.seek(lane)
