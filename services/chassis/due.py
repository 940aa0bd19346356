"""What a turn does without a message: timers, and what an operator has released, discarded or let go on."""

from __future__ import annotations

from services.chassis import breaker, parking, timers
from services.chassis.batch import Batch
from services.chassis.breaker import Breaker
from services.chassis.handling import Transaction
from services.chassis.holding import Holding
from services.chassis.lanes import LaneId
from services.chassis.surroundings import Surroundings

DUE_EVERY_MS = 1000
DUE_LIMIT = 500


class Due:
    """Looks once a second, in all lanes that are held."""

    def __init__(self, around: Surroundings, holding: Holding, counts: Breaker) -> None:
        self._around = around
        self._holding = holding
        self._counts = counts
        self._at_ms = 0

    def now(self) -> bool:
        """Whether it is time to look."""
        return self._around.clock_ms() >= self._at_ms

    def at_once(self) -> None:
        """The next turn looks, whenever the last one did."""
        self._at_ms = 0

    async def take(self, tx: Transaction, batch: Batch) -> None:
        """Decide all that is due, before anything that the turn has read."""
        lanes = self._holding.lanes
        self._at_ms = batch.moment.now_ms + DUE_EVERY_MS
        if self._holding.broken:
            await self._resume(tx)
        if any(lane.parked for lane in lanes.values()):
            await self._take_parked(tx, batch)
        fired = await timers.take(tx, list(lanes), batch.moment.now_ms, DUE_LIMIT)
        batch.taken += len(fired)
        await self._around.decider.run(tx, batch, [(lanes[LaneId(m.topic, m.partition)], m) for m in fired])

    async def _resume(self, tx: Transaction) -> None:
        """Read on in the lanes whose breaker an operator has closed."""
        for place in self._holding.broken - await breaker.broken(tx, self._holding.broken):
            self._counts.forget(place)
            self._holding.resume(place)

    async def _take_parked(self, tx: Transaction, batch: Batch) -> None:
        """What an operator has discarded or released, before anything new of these lanes."""
        decider, lanes = self._around.decider, self._holding.lanes
        discarded = await parking.take_discarded(tx, list(lanes), batch.moment.now_ms, DUE_LIMIT)
        released = await parking.take_released(tx, list(lanes), batch.moment.now_ms, DUE_LIMIT)
        for message in discarded:
            decider.discard(batch, lanes[LaneId(message.topic, message.partition)], message)
        await decider.run(tx, batch, [(lanes[LaneId(m.topic, m.partition)], m) for m in released], True)
        for place in {LaneId(m.topic, m.partition) for m in (*discarded, *released)}:
            # What this turn has read must not overtake what is still parked under its key.
            batch.blocked[place] = batch.blocked.get(place, set()) | await parking.keys(tx, place)
        batch.taken += len(discarded) + len(released)
        if DUE_LIMIT in (len(discarded), len(released)):
            self._at_ms = 0  # there is more: do not wait for the next second
