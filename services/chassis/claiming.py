"""Takes over the lanes that the consumer group has given to this process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.chassis import breaker, lanes, outbox, parking
from services.chassis.crashpoints import crashpoint
from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.chassis.holding import Holding
from services.chassis.lanes import Lane, LaneId
from services.chassis.surroundings import Surroundings
from services.chassis.writing import Writer


class Claims:
    """`open` are the lanes that this process was given and has not taken over yet, or not since the last trouble."""

    def __init__(self, around: Surroundings, consumer: Any, holding: Holding, writer: Writer) -> None:
        self.open: set[LaneId] = set()
        self._around = around
        self._consumer = consumer
        self._holding = holding
        self._writer = writer
        self._known: set[LaneId] = set()  # claimed by this process before

    async def take(self) -> None:
        """Fence the last owners, say again what they may not have said, and read from where the store stands."""
        wanted = set(self.open)
        first = await self._first_offsets(wanted)
        async with self._around.transaction() as tx:
            claimed = await self._claim(tx, wanted, first)
            backlog = [w for lane in claimed for w in await outbox.unpublished(tx, lane)]
        self._known |= wanted
        crashpoint("cp10")
        await self._catch_up(backlog)
        for lane in claimed:
            self._holding.take_up(lane, first[lane.id])
        self.open -= wanted
        self._around.observer.event("lanes_claimed", lanes=len(claimed), republished=len(backlog))

    async def _claim(self, tx: Transaction, wanted: set[LaneId], first: dict[LaneId, int]) -> list[Lane]:
        await outbox.open_months(tx, self._around.clock_ms())
        self._writer.origin_ids = await lanes.all_origins(tx)
        claimed = await lanes.claim(tx, wanted, self._writer.origin_ids, self._known)
        self._writer.incarnation = await tx.fetchval("SELECT number FROM incarnation")
        self._holding.broken |= await breaker.broken(tx, wanted)
        for lane in claimed:
            lane.parked = await parking.keys(tx, lane.id)
            if lane.next_offset < 0:
                await lanes.begin_at(tx, lane, first[lane.id])
        return claimed

    async def _first_offsets(self, wanted: Iterable[LaneId]) -> dict[LaneId, int]:
        try:
            first: dict[TopicPartition, int] = await self._consumer.beginning_offsets(
                [TopicPartition(*lane) for lane in wanted]
            )
        except (KafkaError, OSError) as error:
            raise Transient("broker", type(error).__name__) from error
        return {LaneId(tp.topic, tp.partition): offset for tp, offset in first.items()}

    async def _catch_up(self, backlog: Sequence[outbox.Written]) -> None:
        for written in backlog:
            self._around.observer.published(await self._around.publisher.publish(written.batches))
            written.lane.published = written.first_position + written.event_count - 1
