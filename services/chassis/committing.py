"""The middle of a turn: decide, one transaction, publish from memory."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping, Sequence

from services.chassis import breaker, lanes, outbox, turns
from services.chassis.batch import Batch
from services.chassis.breaker import Breaker, Counted
from services.chassis.commands import command_topic
from services.chassis.crashpoints import crashpoint
from services.chassis.due import Due
from services.chassis.errors import Transient, Unhandleable
from services.chassis.handling import Transaction
from services.chassis.holding import Holding
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message, Moment
from services.chassis.surroundings import Surroundings
from services.chassis.writing import Writer

Received = Sequence[tuple[Lane, Message]]


class Committer:
    """Moves the lanes together with what follows from their messages."""

    def __init__(self, around: Surroundings, holding: Holding) -> None:
        self._around = around
        self._holding = holding
        self._breaker = Breaker(command_topic(around.service.name))
        self.due = Due(around, holding, self._breaker)
        self.writer = Writer(around)

    async def apply(self, messages: Received, due: bool, alone: bool) -> None:
        """A turn; `alone`: its message is suspected of having ended this process before, and parked if it would again.

        Raises `Transient` when nothing was committed, or nobody knows.
        """
        try:
            await self.commit(messages, due, culprit="")
        except (Transient, Unhandleable):
            raise
        except Exception:
            if not (alone and messages):
                raise
            # The third crash at this offset: it is alone in its batch, so it is the culprit.
            await self.commit(messages, due, culprit=traceback.format_exc(limit=-4))

    async def commit(self, messages: Received, due: bool, culprit: str) -> None:
        """A turn; `culprit`: the traceback with which its messages are parked instead of being decided."""
        around, started = self._around, asyncio.get_running_loop().time()
        await around.schemas.resolve(message.value for _, message in messages)
        crashpoint("cp2")
        batch = Batch(Moment(around.clock_ms()))
        touched = self._touched(messages, due)
        next_offsets = {lane.id: message.offset + 1 for lane, message in messages}
        async with around.transaction() as tx:
            crashpoint("cp3")
            await lanes.move(tx, touched, next_offsets)
            if around.service.refresh is not None:
                await around.service.refresh(tx)
            await self._decide(tx, batch, messages, due, culprit)
            written = await self.writer.write(tx, batch, touched)
            counted = self._breaker.count([lane.id for lane, _ in messages], batch.parked)
            await breaker.stop(tx, counted.tripped, batch.moment.now_ms)
            await self._journal(tx, batch, messages, next_offsets, culprit)
            crashpoint("cp4")
        crashpoint("cp5")
        self.writer.remember(batch, touched, next_offsets, written)
        self._trip(counted)
        for lane, message in messages:
            lane.read_ms = message.timestamp_ms
        await self._publish(written)
        around.observer.batch(batch, asyncio.get_running_loop().time() - started)

    def _touched(self, messages: Received, due: bool) -> list[Lane]:
        every = self._holding.lanes.values() if due else {lane.id: lane for lane, _ in messages}.values()
        return sorted(every, key=lambda lane: lane.id)

    async def _decide(self, tx: Transaction, batch: Batch, messages: Received, due: bool, culprit: str) -> None:
        decider = self._around.decider
        if due:
            await self.due.take(tx, batch)
        if culprit:
            for lane, message in messages:
                decider.park_culprit(batch, lane, message, culprit)
        else:
            await decider.run(tx, batch, messages)

    async def _journal(
        self, tx: Transaction, batch: Batch, messages: Received, next_offsets: Mapping[LaneId, int], culprit: str
    ) -> None:
        taken = {lane.id: lane.next_offset for lane in self._holding.lanes.values()} if batch.taken else {}
        read = (lane.id for lane, _ in messages)
        if turn := turns.turn_of(batch.moment.now_ms, read, next_offsets, taken, culprit):
            await turns.record(tx, turn)

    def _trip(self, counted: Counted) -> None:
        self._breaker.remember(counted)
        for place in counted.tripped:
            self._holding.broken.add(place)
            self._holding.stop(self._holding.lanes[place], "breaker")

    async def _publish(self, written: Sequence[outbox.Written]) -> None:
        if written:
            said = [sealed for w in written for sealed in w.batches]
            self._around.observer.published(await self._around.publisher.publish(said))
        crashpoint("cp7")
        for w in written:
            w.lane.published = w.lane.position
