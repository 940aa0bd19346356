"""What a turn does without a message: timers, and what an operator has released, discarded or let go on.

What is due is taken many at a time. When processes have died of a lane again and again, what is due in it is taken one
by one, each in a turn of its own, until the one they died of is found or a turn's worth of others has proved harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.chassis import breaker, parking, timers
from services.chassis.batch import Batch
from services.chassis.breaker import Breaker
from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.chassis.holding import Holding
from services.chassis.lanes import SUSPECT_AFTER, Lane, LaneId
from services.chassis.message import Message
from services.chassis.surroundings import Surroundings

DUE_EVERY_MS = 1000
DUE_LIMIT = 500  # of each kind; written into the journal with each turn
ALONE = 1  # of all kinds together
KINDS = 3


class Look(NamedTuple):
    """In which lanes a turn looks for what is due; `limit`: how much it takes of each kind, or of all kinds `ALONE`."""

    lanes: Sequence[Lane]
    limit: int

    def full(self, taken: Sequence[Message]) -> bool:
        """There may be more of this kind."""
        return len(taken) == self.limit

    def placed(self, messages: Iterable[Message]) -> list[tuple[Lane, Message]]:
        """Each with its lane."""
        lanes = {lane.id: lane for lane in self.lanes}
        return [(lanes[LaneId(m.topic, m.partition)], m) for m in messages]


class Culprit(NamedTuple):
    """What the process would have died of. `met`: it was taken alone from what is due; None in a replay."""

    trace: str
    met: Message | None = None


class Overtaken(Transient):
    """An operator's order has put something else before what was to be parked as the culprit: look again."""


class Due:
    """Looks once a second, in all lanes that are held; while some are suspected at once, and in these alone."""

    def __init__(self, around: Surroundings, holding: Holding, counts: Breaker) -> None:
        self._around = around
        self._holding = holding
        self._counts = counts
        self._at_ms = 0
        self._suspects: set[LaneId] = set()
        self._left = 0  # things to be taken alone before the suspects are cleared
        self.met: Message | None = None  # what the last turn of one thing took

    def now(self) -> bool:
        """Whether it is time to look."""
        return self._around.clock_ms() >= self._at_ms

    def claimed(self) -> None:
        """Lanes were taken over: the next turn looks, whenever the last one did."""
        self._at_ms = 0
        # Also those that are stopped: their timers fire all the same.
        self._suspects = {lane.id for lane in self._holding.lanes.values() if lane.attempts >= SUSPECT_AFTER}
        self._left = KINDS * DUE_LIMIT  # no turn takes more, so what the process died of is among them

    @property
    def alone(self) -> bool:
        """The next turn takes one thing alone and must read nothing."""
        return not self._suspects.isdisjoint(self._holding.lanes)

    async def look(self) -> Look | None:
        """What the next turn is to look for, and to write down: nothing, as long as nothing is due.

        Asked before the turn, which would else write the row of every lane once a second.
        """
        self.met = None
        held, now_ms = self._holding.lanes, self._around.clock_ms()
        self._at_ms = now_ms + DUE_EVERY_MS
        if self.alone:
            return Look([lane for lane in held.values() if lane.id in self._suspects], ALONE)
        async with self._around.transaction() as tx:
            if self._holding.broken:
                await self._resume(tx)
            due = await timers.waiting(tx, list(held), now_ms)
        lanes = [lane for lane in held.values() if lane.parked or lane.id in due or lane.noted != lane.published]
        return Look(lanes, DUE_LIMIT) if lanes else None

    async def take(self, tx: Transaction, batch: Batch, look: Look, culprit: Culprit | None) -> None:
        """Decide what is due, before anything that the turn has read; the `culprit` is parked instead.

        Raises `Overtaken` when that is not the first thing due any more.
        """
        if any(lane.parked for lane in look.lanes):
            await self._take_parked(tx, batch, look, culprit)
        if look.limit != ALONE or not batch.taken:
            await self._take_timers(tx, batch, look, culprit)
        if culprit and culprit.met and not batch.taken:
            raise Overtaken("due")
        if look.limit == ALONE:
            self._proved(bool(batch.taken))

    def _proved(self, harmless: bool) -> None:
        """One more thing was taken alone, or nothing is left: then the other lanes have waited long enough."""
        self._at_ms = 0
        self._left -= 1
        if not (harmless and self._left):
            self._suspects.clear()

    async def _resume(self, tx: Transaction) -> None:
        """Read on in the lanes whose breaker an operator has closed."""
        for place in self._holding.broken - await breaker.broken(tx, self._holding.broken):
            self._counts.forget(place)
            self._holding.resume(place)

    async def _take_parked(self, tx: Transaction, batch: Batch, look: Look, culprit: Culprit | None) -> None:
        """What an operator has discarded or released, before anything new of these lanes."""
        lanes, now_ms = [lane.id for lane in look.lanes], batch.moment.now_ms
        take_discarded = parking.take_back if culprit else parking.take_discarded
        discarded = await take_discarded(tx, lanes, now_ms, look.limit)
        alone = look.limit == ALONE and discarded
        released = [] if alone else await parking.take_released(tx, lanes, now_ms, look.limit)
        batch.taken += len(discarded) + len(released)
        self._meet(look, [*discarded, *released], culprit)
        if culprit:
            self._park(batch, look, [*discarded, *released], culprit)
        else:
            for lane, message in look.placed(discarded):
                self._around.decider.discard(batch, lane, message)
            await self._around.decider.run(tx, batch, look.placed(released), True)
        if look.full(discarded) or look.full(released):
            self._at_ms = 0  # there is more: do not wait for the next second
            await parking.park_rest(tx, [parked.message for parked in batch.parked], now_ms)
        for place in {LaneId(m.topic, m.partition) for m in (*discarded, *released)}:
            # What this turn has read must not overtake what is still parked under its key.
            batch.blocked[place] = batch.blocked.get(place, set()) | await parking.keys(tx, place)

    async def _take_timers(self, tx: Transaction, batch: Batch, look: Look, culprit: Culprit | None) -> None:
        fired = await timers.take(tx, [lane.id for lane in look.lanes], batch.moment.now_ms, look.limit)
        batch.taken += len(fired)
        self._meet(look, fired, culprit)
        if look.full(fired):
            self._at_ms = 0  # as above
        if culprit:
            self._park(batch, look, fired, culprit)
        else:
            await self._around.decider.run(tx, batch, look.placed(fired))

    def _meet(self, look: Look, taken: Sequence[Message], culprit: Culprit | None) -> None:
        if look.limit == ALONE and taken:
            self.met = taken[0]
            # Between the turn that failed and this one another process may have taken an order.
            if culprit and culprit.met and culprit.met != self.met:
                raise Overtaken("due")

    def _park(self, batch: Batch, look: Look, taken: Sequence[Message], culprit: Culprit) -> None:
        for lane, message in look.placed(taken):
            self._around.decider.park(batch, lane, message, parking.CRASHED, culprit.trace)
