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
from services.chassis.due import Culprit, Due, Look
from services.chassis.errors import Transient, Unhandleable
from services.chassis.handling import Transaction
from services.chassis.holding import Holding
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message, Moment
from services.chassis.surroundings import Surroundings
from services.chassis.turn_size import TurnSize
from services.chassis.writing import Writer

Received = Sequence[tuple[Lane, Message]]


class Committer:
    """Moves the lanes together with what follows from their messages."""

    def __init__(self, around: Surroundings, holding: Holding, size: TurnSize) -> None:
        self._around = around
        self._holding = holding
        self._size = size
        self._month = (0, 0)  # for which the store's tables by month were last seen to
        self._breaker = Breaker(command_topic(around.service.name))
        self.due = Due(around, holding, self._breaker)
        self.writer = Writer(around)

    async def apply(self, messages: Received, due: bool, alone: bool) -> None:
        """A turn; `alone`: its message is suspected of having ended this process before, and parked if it would again.

        So is the one thing due that a turn without messages takes. Raises `Transient` when nothing was committed, or
        nobody knows.
        """
        look = await self.due.look() if due else None
        if not (messages or look):
            return
        try:
            await self.commit(messages, look, None)
        except (Transient, Unhandleable):
            raise
        except Exception:
            met = None if messages else self.due.met
            if not (met or (alone and messages)):
                raise
            # The third crash of this lane: it is alone in its turn, so it is the culprit.
            await self.commit(messages, look, Culprit(traceback.format_exc(limit=-4), met))

    async def commit(self, messages: Received, look: Look | None, culprit: Culprit | None) -> None:
        """A turn; with a `culprit` its messages are parked instead of being decided, or without any what is due."""
        around, now = self._around, asyncio.get_running_loop().time
        started = now()
        await around.schemas.resolve(message.value for _, message in messages)
        crashpoint("cp2")
        batch = Batch(Moment(around.clock_ms()))
        touched = self._touched(messages, look)
        # In all lanes of the turn: a replay knows no others, and something may have come due since the look.
        look = look and look._replace(lanes=touched)
        next_offsets = {lane.id: message.offset + 1 for lane, message in messages}
        opened = now()
        async with around.transaction() as tx:
            crashpoint("cp3")
            if (month := outbox.month_of(batch.moment.now_ms)) != self._month:  # a process may outlive many
                await outbox.open_months(tx, batch.moment.now_ms)
            await lanes.move(tx, touched, next_offsets)
            if around.service.refresh is not None:
                await around.service.refresh(tx)
            await self._decide(tx, batch, messages, look, culprit)
            written = await self.writer.write(tx, batch, touched)
            counted = self._breaker.count([lane.id for lane, _ in messages], batch.parked)
            await breaker.stop(tx, counted.tripped, batch.moment.now_ms)
            await self._journal(tx, batch, messages, next_offsets, look, culprit)
            crashpoint("cp4")
        stored_s = now() - opened
        crashpoint("cp5")
        self._month = month
        self.writer.remember(batch, touched, next_offsets, written)
        self._trip(counted)
        for lane, message in messages:
            lane.read_ms = message.timestamp_ms
        await self._publish(written)
        seconds = now() - started
        self._size.took(len(messages), stored_s, seconds)
        around.observer.batch(batch, seconds)

    def _touched(self, messages: Received, look: Look | None) -> list[Lane]:
        every = {lane.id: lane for lane in (*(look.lanes if look else ()), *(lane for lane, _ in messages))}
        return sorted(every.values(), key=lambda lane: lane.id)

    async def _decide(
        self, tx: Transaction, batch: Batch, messages: Received, look: Look | None, culprit: Culprit | None
    ) -> None:
        decider = self._around.decider
        if look:
            await self.due.take(tx, batch, look, None if messages else culprit)
        if culprit:
            for lane, message in messages:
                decider.park_culprit(batch, lane, message, culprit.trace)
        else:
            await decider.run(tx, batch, messages)

    async def _journal(
        self,
        tx: Transaction,
        batch: Batch,
        messages: Received,
        next_offsets: Mapping[LaneId, int],
        look: Look | None,
        culprit: Culprit | None,
    ) -> None:
        lanes, limit = look if look and batch.taken else ((), 0)
        taken = {lane.id: lane.next_offset for lane in lanes}
        read, trace = (lane.id for lane, _ in messages), culprit.trace if culprit else ""
        if turn := turns.turn_of(batch.moment.now_ms, read, next_offsets, taken, limit, trace):
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
