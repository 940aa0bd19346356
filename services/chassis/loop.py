"""The lane loop: one turn after the other, and everything that can interrupt them.

A turn fetches (`receiving`), decides, commits and publishes (`committing`, with `due` and `writing`). What interrupts
is a rebalance, after which lanes are claimed (`claiming`), and a database or broker that is away, after which all are
claimed anew. Between the two, lanes are held (`holding`).
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
from services.chassis.errors import LaneLost, Transient
from services.chassis.holding import Holding
from services.chassis.lanes import SUSPECT_AFTER, LaneId
from services.chassis.receiving import FETCH_WAIT_MS, Receiver
from services.chassis.surroundings import Surroundings
from services.chassis.turn_size import TurnSize
from services.chassis.watchdog import Pulse

COMMIT_WAIT_S = 5.0
SILENT_S = 10.0  # the broker has not answered a commit for so long: whoever asks for readiness shall know
FENCED_WAIT_S = 7.0  # two heartbeats and a bit


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
        self._stopping = asyncio.Event()
        self._assignment = 0  # counts rebalances
        self._moved = self._beats = self._behind = 0  # for the watchdog
        self._waiting = 0  # transactions and publishing under way: database and broker have time limits of their own
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
        return Pulse(self._beats, self._moved, self._behind, self._trouble, self._waiting > 0)

    @contextmanager
    def _awaiting(self) -> Generator[None]:
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        """End after the running turn."""
        self._stopping.set()

    async def run(self) -> None:
        """Turn until stopped; a `Transient` claims everything anew, anything else ends the process."""
        pause = 0.1
        while not self._stopping.is_set():
            try:
                await self._one_turn()
                pause, self._trouble = 0.1, False
            except Transient as trouble:
                self._turning, self._trouble = False, True
                self._size.failed()
                self._around.observer.transient(trouble)
                self._claims.open = set(self._holding.lanes) | self._claims.open
                # Fenced: do not take the lanes back from their new owner. Within two heartbeats the group tells us
                # that they are gone; only if it does not were they ours after all.
                await self._wait(FENCED_WAIT_S if isinstance(trouble, LaneLost) else pause)
                pause = min(pause * 2, 5.0)
        await self._farewell()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    # --- lanes come and go -------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits coroutines, its annotation does not say so
        """Called by the consumer before a rebalance; waits for the batch in hand."""
        async with self._turn:
            crashpoint("cp8")
            self._assignment += 1
            for tp in revoked:
                self._holding.leave(LaneId(tp.topic, tp.partition))
                self._claims.open.discard(LaneId(tp.topic, tp.partition))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        """Called after a rebalance; the next turn claims, so that a database that is away cannot block the group."""
        async with self._turn:
            self._claims.open |= {LaneId(tp.topic, tp.partition) for tp in assigned}

    # --- one turn ----------------------------------------------------------------------------------------------

    async def _one_turn(self) -> None:
        held, due = self._holding.lanes, self._committer.due
        async with self._turn:
            if self._claims.open:
                with self._awaiting():
                    await self._claims.take()
                due.claimed()
            suspects = [lane for lane in held.values() if lane.attempts >= SUSPECT_AFTER and not lane.stopped]
            assignment, one_due = self._assignment, due.alone
        # Not within the turn: a fetch waits for a rebalance that has begun, and the rebalance waits for the turn.
        messages = [] if one_due else await self._receiver.fetch(suspects)
        async with self._turn:
            if assignment != self._assignment:
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
