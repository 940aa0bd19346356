"""The lane loop: one turn after the other, and everything that can interrupt them.

A turn fetches (`receiving`), decides, commits and publishes (`committing`, with `due` and `writing`). What interrupts
is a rebalance, after which lanes are claimed (`claiming`), and a database or broker that is away, after which all are
claimed anew; neither before the group has said that they are this process' (`membership`). Between the two, lanes are
held (`holding`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from services.chassis import lanes
from services.chassis.claiming import Claims
from services.chassis.committing import Committer
from services.chassis.crashpoints import crashpoint
from services.chassis.errors import Transient
from services.chassis.holding import Holding
from services.chassis.lanes import SUSPECT_AFTER, LaneId
from services.chassis.receiving import FETCH_WAIT_MS, Receiver
from services.chassis.surroundings import Surroundings
from services.chassis.turn_size import TurnSize
from services.chassis.waiting import Waiting
from services.chassis.watchdog import Pulse

COMMIT_WAIT_S = 5.0
SILENT_S = 10.0  # the broker has not answered a commit for so long: whoever asks for readiness shall know


class LaneLoop(ConsumerRebalanceListener):
    """Owns the lanes that the consumer group gives this process."""

    def __init__(self, around: Surroundings, consumer: Any) -> None:
        self._around = around
        self._consumer = consumer  # an AIOKafkaConsumer, which has no types
        self._holding = Holding(consumer, around.observer)
        self._size = TurnSize()
        self._receiver = Receiver(consumer, self._holding, self._size, around.service.linger_ms)
        self._committer = Committer(around, self._holding, self._size)
        self._claims = Claims(around, consumer, self._holding, self._committer.writer)
        self._turn = asyncio.Lock()  # a rebalance waits for the running batch, and the next batch for the rebalance
        self._waiting = Waiting()
        self._assignment = 0  # counts rebalances
        self._moved = self._beats = self._behind = 0  # for the watchdog
        self._answers = 0  # transactions and publishing under way: database and broker have time limits of their own
        self._trouble = False
        self._silent_since: float | None = None  # the first of the commits that the broker has not answered
        self._turning = False

    @property
    def ready(self) -> bool:
        """Lanes are held and worked on, and the broker answers.

        A worker that has nothing to say does not notice by itself that the broker is away: the client keeps that.
        """
        since, now = self._silent_since, asyncio.get_running_loop().time()
        return self._turning and (since is None or now - since < SILENT_S)

    def pulse(self) -> Pulse:
        """What the watchdog looks at; called from its thread, so it only reads."""
        return Pulse(self._beats, self._moved, self._behind, self._trouble, self._answers > 0)

    @contextmanager
    def _awaiting(self) -> Generator[None]:
        self._answers += 1
        try:
            yield
        finally:
            self._answers -= 1

    def stop(self) -> None:
        """End after the running turn; what waits for the group is given up at once."""
        self._waiting.end()

    async def run(self) -> None:
        """Turn until stopped; a `Transient` claims everything anew, anything else ends the process."""
        while not self._waiting.over:
            self._waiting.begin()
            try:
                await self._one_turn()
                self._around.rest()
                self._waiting.calm()
                self._trouble = False
            except Transient as trouble:
                self._in_trouble(trouble)
                await self._waiting.pause()
        await self._farewell()

    def _in_trouble(self, trouble: Transient) -> None:
        self._turning, self._trouble = False, True
        if trouble.too_much:
            self._size.failed()
        self._around.observer.transient(trouble)
        self._claims.open |= self._holding.lanes.keys()

    # --- lanes come and go -------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits coroutines, its annotation does not say so
        """Called by the consumer before a rebalance; waits for the batch in hand."""
        async with self._turn:
            crashpoint("cp8")
            self._assignment += 1
            # Whatever is named: before a rebalance a member gives up all that it has. When topics appear in the middle
            # of one, the client names what it had before the last assignment.
            self._holding.leave_all()
            self._claims.open.clear()
            # A commit sent while the client joins names a generation that is over: it would be refused, and the client
            # would join once more (measured at a start: 13 rebalances, each with the question of the one before).
            self._waiting.cut()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        """Called after a rebalance; the next turn claims, so that a database that is away cannot block the group."""
        async with self._turn:
            self._claims.open |= {LaneId(tp.topic, tp.partition) for tp in assigned}
            self._waiting.hear()

    # --- one turn ----------------------------------------------------------------------------------------------

    async def _one_turn(self) -> None:
        held, due, assignment = self._holding.lanes, self._committer.due, self._assignment
        # Not within the turn: an answer of the group and a fetch wait for a rebalance that has begun, and the rebalance
        # waits for the turn.
        grant = await self._waiting.unless_cut(self._claims.ask()) if self._claims.open else None
        async with self._turn:
            if assignment != self._assignment or (self._claims.open and grant is None):
                return  # what was asked for is gone, or what is there now was not asked for
            if grant is not None:
                with self._awaiting():
                    await self._claims.take(grant)
                due.claimed()
            suspects = [lane for lane in held.values() if lane.attempts >= SUSPECT_AFTER and not lane.stopped]
            one_due = due.alone
        messages = [] if one_due else await self._waiting.unless_cut(self._receiver.fetch(suspects))
        async with self._turn:
            if messages is None or assignment != self._assignment:
                return  # fetched under an assignment that is gone; the claim of the new one seeks back
            crashpoint("cp1")
            is_due = due.now()
            if messages or (is_due and held):
                with self._awaiting():
                    await self._committer.apply(messages, is_due, alone=bool(suspects))
                self._moved += one_due or bool(messages)
            self._turning = bool(held)
        if not held:
            await asyncio.sleep(FETCH_WAIT_MS / 1000)  # nothing assigned yet: the group is still forming

    async def _farewell(self) -> None:
        """Write what was published, so that the next owner need not say it again."""
        if self._claims.open or not self._holding.lanes:
            return
        touched = sorted(self._holding.lanes.values(), key=lambda lane: lane.id)
        try:
            async with self._around.transaction() as tx:
                await lanes.move(tx, touched, {})
        except Transient as trouble:
            self._around.observer.transient(trouble)

    # --- what others may look at -------------------------------------------------------------------------------

    async def show_offsets(self) -> None:
        """Commit to Kafka what stock lag tools look at; never read here, so failing is harmless.

        Not within a turn: a commit waits for a rebalance, and a rebalance waits for the turn.
        """
        asked = asyncio.get_running_loop().time()
        offsets = {TopicPartition(*lane.id): lane.next_offset for lane in self._holding.lanes.values()}
        try:
            if offsets:
                await asyncio.wait_for(self._consumer.commit(offsets), COMMIT_WAIT_S)
            self._silent_since = None
        except (KafkaError, TimeoutError) as error:
            self._silent_since = asked if self._silent_since is None else self._silent_since
            self._around.observer.event("offsets_not_shown", error=type(error).__name__)

    def report_lag(self) -> None:
        """Tell the observer how far behind each lane is, in messages and in seconds of message age."""
        now = self._around.clock_ms()
        for lane, messages in self._holding.lags():
            self._around.observer.lag(lane.id.topic, messages, (now - lane.read_ms) / 1000 if messages else 0.0)

    def beat(self) -> None:
        """Once a second, and waiting for nothing: the event loop turns, and this is what it has before it."""
        self._behind = sum(messages for lane, messages in self._holding.lags() if not lane.stopped)
        self._beats += 1
