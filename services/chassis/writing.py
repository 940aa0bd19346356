"""Writes what came of a batch beside the data it follows from, and lets memory follow once it is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.chassis import lanes, outbox, parking, timers
from services.chassis.batch import Batch
from services.chassis.handling import Transaction
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Outgoing
from services.chassis.surroundings import Surroundings


class Writer:
    """Timers, parked messages, the outbox, and how far each lane has spoken and heard."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.incarnation = 0
        self.origin_ids: dict[str, int] = {}

    async def write(self, tx: Transaction, batch: Batch, touched: Sequence[Lane]) -> list[outbox.Written]:
        """Everything of the batch that is not an aggregate's; returns what is to be published after COMMIT."""
        if batch.timers:
            await timers.put(tx, batch.timers)
        await self._park(tx, batch, touched)
        said_by = [(lane, batch.outgoing[lane.id]) for lane in touched if batch.outgoing.get(lane.id)]
        written = [await self._seal(lane, events, batch.moment.now_ms) for lane, events in said_by]
        if written:
            await outbox.append(tx, written, batch.moment.now_ms)
        await self._speak(tx, batch, touched, written)
        return written

    async def _park(self, tx: Transaction, batch: Batch, touched: Sequence[Lane]) -> None:
        if batch.parked:
            await parking.put(tx, batch.parked, batch.moment.now_ms)
        put_aside = {(p.message.topic, p.message.partition) for p in batch.parked}
        for lane in touched:
            if lane.parked or lane.id in put_aside or batch.blocked.get(lane.id):
                batch.blocked[lane.id] = await parking.keys(tx, lane.id)

    async def _seal(self, lane: Lane, events: Sequence[Outgoing], at_ms: int) -> outbox.Written:
        origin = lane.origin_name(self._around.service.name, self.incarnation)
        batches = await self._around.publisher.seal(origin, lane.position + 1, events, at_ms)
        return outbox.Written(lane, lane.position + 1, len(events), batches)

    async def _speak(
        self, tx: Transaction, batch: Batch, touched: Sequence[Lane], written: Sequence[outbox.Written]
    ) -> None:
        said = {w.lane.id: w.event_count for w in written}
        spoken = [
            lanes.Spoken(lane, lane.position + said.get(lane.id, 0), batch.heard.get(lane.id, lane.origins))
            for lane in touched
            if lane.id in said or lane.id in batch.heard
        ]
        if spoken:
            new = {name for s in spoken for name in s.origins} - self.origin_ids.keys()
            batch.new_origins = await lanes.number_origins(tx, new) if new else {}
            await lanes.speak(tx, spoken, self.origin_ids | batch.new_origins if new else self.origin_ids)

    def remember(
        self,
        batch: Batch,
        touched: Sequence[Lane],
        next_offsets: Mapping[LaneId, int],
        written: Sequence[outbox.Written],
    ) -> None:
        """After COMMIT, and only then, memory follows the rows."""
        self.origin_ids.update(batch.new_origins)
        for w in written:
            w.lane.position = w.first_position + w.event_count - 1
        for lane in touched:
            lane.noted = lane.published
            if lane.id in next_offsets:  # a turn without messages has proven nothing about those that wait
                lane.next_offset, lane.attempts = next_offsets[lane.id], 0
            lane.origins = batch.heard.get(lane.id, lane.origins)
            lane.parked = batch.blocked.get(lane.id, lane.parked)
