"""The lane loop: fetch, decide, one transaction, publish from memory. Longer than a file should be, so that one turn
and everything that can interrupt it (rebalance, fencing, a database or broker that is away) reads in one place.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from services.chassis import breaker, lanes, outbox, parking, timers, turns
from services.chassis.batch import Batch, Decider
from services.chassis.breaker import Breaker
from services.chassis.commands import command_topic
from services.chassis.crashpoints import crashpoint
from services.chassis.errors import LaneLost, Transient, Unhandleable
from services.chassis.handling import Service, Transaction
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message, Moment, Outgoing
from services.chassis.publishing import Publisher
from services.chassis.watchdog import Pulse

BATCH_LIMIT = 2000
TURN_S = 5.0  # longer than this no turn shall take: a rebalance waits for it, and a statement has its time limit
FEW_WAIT = 200  # messages: then all lanes are served together
LANES_A_TURN = 2
FETCH_WAIT_MS = 200
DUE_EVERY_MS = 1000
DUE_LIMIT = 500
COMMIT_WAIT_S = 5.0
FENCED_WAIT_S = 7.0  # two heartbeats and a bit
SUSPECT_AFTER = 3  # claims without progress: then one message at a time, and a culprit is parked


class Observer(Protocol):
    """Where the loop reports; the metrics in production, a recorder in tests."""

    def batch(self, batch: Batch, seconds: float) -> None: ...
    def lag(self, topic: str, messages: int, seconds: float) -> None: ...
    def published(self, count: int) -> None: ...
    def transient(self, error: Transient) -> None: ...
    def event(self, name: str, **fields: object) -> None: ...


class SchemaSource(Protocol):
    """Fetches the schemas that a batch names and this process has not seen."""

    async def resolve(self, values: Iterable[bytes | None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the loop needs from outside."""

    service: Service
    decider: Decider
    publisher: Publisher
    schemas: SchemaSource
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    clock_ms: Callable[[], int]
    observer: Observer


class LaneLoop(ConsumerRebalanceListener):
    """Owns the lanes that the consumer group gives this process."""

    def __init__(self, around: Surroundings, consumer: Any) -> None:
        self._around = around
        self._consumer = consumer  # an AIOKafkaConsumer, which has no types: each use below gives its own
        self._lanes: dict[LaneId, Lane] = {}
        self._unclaimed: set[LaneId] = set()
        self._incarnation = 0
        self._origin_ids: dict[str, int] = {}
        self._turn = asyncio.Lock()  # a rebalance waits for the running batch, and the next batch for the rebalance
        self._stopping = asyncio.Event()
        self._known: set[LaneId] = set()  # claimed by this process before
        self._assignment = 0  # counts rebalances
        self._rounds = 0  # turns in which not all lanes were served
        self._limit = BATCH_LIMIT  # messages of a turn
        self._due_at_ms = 0
        self._month = (0, 0)  # for which the store's tables by month were last seen to
        self._broken: set[LaneId] = set()  # stopped by the breaker; the store knows them too
        self._breaker = Breaker(command_topic(around.service.name))
        self._moved = self._beats = self._behind = 0  # for the watchdog
        self._waiting = 0  # transactions and publishing under way: database and broker have time limits of their own
        self._trouble = False
        self.ready = False

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
                self.ready, self._trouble = False, True
                self._limit = max(1, self._limit // 4)  # it may have been too much for the database's time limits
                self._around.observer.transient(trouble)
                self._unclaimed = set(self._lanes) | self._unclaimed
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
                lane = self._lanes.pop(LaneId(tp.topic, tp.partition), None)
                if lane is not None and lane.stopped:
                    self._around.observer.event("lane_left", topic=tp.topic, partition=tp.partition)
                self._broken.discard(LaneId(tp.topic, tp.partition))
                self._unclaimed.discard(LaneId(tp.topic, tp.partition))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        """Called after a rebalance; the next turn claims, so that a database that is away cannot block the group."""
        async with self._turn:
            self._unclaimed |= {LaneId(tp.topic, tp.partition) for tp in assigned}

    async def _claim(self) -> None:
        wanted = set(self._unclaimed)
        first = await self._first_offsets(wanted)
        async with self._around.transaction() as tx:
            await outbox.open_months(tx, self._around.clock_ms())
            self._origin_ids = await lanes.all_origins(tx)
            claimed = await lanes.claim(tx, wanted, self._origin_ids, self._known)
            self._incarnation = await tx.fetchval("SELECT number FROM incarnation")
            self._broken |= await breaker.broken(tx, wanted)
            for lane in claimed:
                lane.parked = await parking.keys(tx, lane.id)
                if lane.next_offset < 0:
                    await lanes.begin_at(tx, lane, first[lane.id])
            backlog = [w for lane in claimed for w in await outbox.unpublished(tx, lane)]
        self._known |= wanted
        crashpoint("cp10")
        await self._catch_up(backlog)
        for lane in claimed:
            self._take_up(lane, first[lane.id])
        self._unclaimed -= wanted
        self._due_at_ms = 0
        self._around.observer.event("lanes_claimed", lanes=len(claimed), republished=len(backlog))

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

    def _take_up(self, lane: Lane, first_offset: int) -> None:
        self._lanes[lane.id] = lane
        self._seek(lane)
        if lane.next_offset < first_offset:
            # Unread messages are gone: to read on would lose them in silence.
            self._stop_lane(lane, "offset_out_of_range")
        elif lane.id in self._broken:
            self._stop_lane(lane, "breaker")

    def _seek(self, lane: Lane) -> None:
        # A topic that appears takes every assignment away until the group has met again; then the lane is claimed anew.
        with suppress(IllegalStateError):
            self._consumer.seek(TopicPartition(*lane.id), lane.next_offset)

    def _stop_lane(self, lane: Lane, why: str) -> None:
        lane.stopped = True
        with suppress(IllegalStateError):  # as above; the claim that follows stops it again
            self._consumer.pause(TopicPartition(*lane.id))
        self._around.observer.event("lane_stopped", topic=lane.id.topic, partition=lane.id.partition, why=why)

    async def _resume(self, tx: Transaction) -> None:
        """Read on in the lanes whose breaker an operator has closed."""
        for place in self._broken - await breaker.broken(tx, self._broken):
            self._broken.discard(place)
            self._breaker.forget(place)
            if (lane := self._lanes.get(place)) and lane.stopped:
                lane.stopped = False
                self._seek(lane)
                with suppress(IllegalStateError):  # as in `_stop_lane`
                    self._consumer.resume(TopicPartition(*place))
                self._around.observer.event("lane_resumed", topic=place.topic, partition=place.partition)

    # --- one turn ----------------------------------------------------------------------------------------------

    async def _one_turn(self) -> None:
        async with self._turn:
            if self._unclaimed:
                with self._awaiting():
                    await self._claim()
            suspects = [it for it in self._lanes.values() if it.attempts >= SUSPECT_AFTER and not it.stopped]
            assignment = self._assignment
        # Not within the turn: a fetch waits for a rebalance that has begun, and the rebalance waits for the turn.
        messages = await self._fetch(suspects)
        async with self._turn:
            if assignment != self._assignment:
                return  # fetched under an assignment that is gone; the claim of the new one seeks back
            crashpoint("cp1")
            due = self._around.clock_ms() >= self._due_at_ms
            if messages or (due and self._lanes):
                with self._awaiting():
                    await self._apply(messages, due, alone=bool(suspects))
                self._moved += bool(messages)
            self.ready = bool(self._lanes)
        if not self._lanes:
            await asyncio.sleep(FETCH_WAIT_MS / 1000)  # nothing assigned yet: the group is still forming

    async def _fetch(self, suspects: Sequence[Lane]) -> list[tuple[Lane, Message]]:
        only = [TopicPartition(*lane.id) for lane in suspects or self._served()]
        try:
            records: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
                *only, timeout_ms=FETCH_WAIT_MS, max_records=1 if suspects else self._limit
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
        return [(lane, m) for tp, rows in records.items() for lane, m in self._messages(tp, rows)]

    async def _pass_over(self) -> None:
        """Offsets without a message (marks of an outsider's transactions, what he aborted) are no lag.

        The hand is empty, so what the client has gone past was none; where it has not got to may hold something.
        """
        for lane, messages in list(self._lags()):
            if messages and not lane.stopped:
                with suppress(IllegalStateError, TimeoutError):  # a rebalance has begun, or it does not know yet
                    position: int = await asyncio.wait_for(self._consumer.position(TopicPartition(*lane.id)), 1)
                    lane.passed = max(lane.passed, position)

    def _served(self) -> list[Lane]:
        """The lanes of this turn: all while little waits, else the longest unserved until a batch is full or two are.

        What a lane says goes out in record batches of its own, one for each partition it speaks to. From many lanes a
        little each, these are tiny, and both broker and compressor are paid by the batch.
        """
        waiting = {lane.id: messages for lane, messages in self._lags() if messages and not lane.stopped}
        if sum(waiting.values()) <= FEW_WAIT:
            return []
        served: list[Lane] = []
        for lane in sorted((self._lanes[i] for i in waiting), key=lambda lane: lane.served):
            served.append(lane)
            if len(served) == LANES_A_TURN or sum(waiting[lane.id] for lane in served) >= BATCH_LIMIT:
                break
        self._rounds += 1
        for lane in served:
            lane.served = self._rounds
        return served

    def _nothing_waits(self, lane: Lane) -> bool:
        """Known only after a fetch was answered: an empty hand alone may mean that the answer is still on its way."""
        place = TopicPartition(*lane.id)
        assigned: set[TopicPartition] = self._consumer.assignment()
        end: int | None = self._consumer.highwater(place) if place in assigned else None
        return end is not None and end <= lane.next_offset

    def _messages(self, tp: TopicPartition, rows: Sequence[Any]) -> Iterable[tuple[Lane, Message]]:
        lane = self._lanes.get(LaneId(tp.topic, tp.partition))
        if lane is None:
            return
        for r in rows:
            yield lane, Message(r.topic, r.partition, r.offset, r.key or b"", r.value, r.headers, r.timestamp)

    def _out_of_range(self, error: Exception) -> None:
        """Before the seek of a claim the consumer may ask for an offset it does not have: harmless. After: stop."""
        found: Mapping[TopicPartition, int] = error.args[0] if isinstance(error, OffsetOutOfRangeError) else {}
        for tp, offset in found.items():
            lane = self._lanes.get(LaneId(tp.topic, tp.partition))
            if lane is not None and lane.next_offset == offset:
                self._stop_lane(lane, "offset_out_of_range")
        for lane in self._lanes.values():
            if not lane.stopped:
                self._seek(lane)

    async def _apply(self, messages: Sequence[tuple[Lane, Message]], due: bool, alone: bool) -> None:
        try:
            await self._commit(messages, due, culprit="")
        except (Transient, Unhandleable):
            raise
        except Exception:
            if not (alone and messages):
                raise
            # The third crash at this offset: it is alone in its batch, so it is the culprit.
            await self._commit(messages, due, culprit=traceback.format_exc(limit=-4))

    async def _commit(self, messages: Sequence[tuple[Lane, Message]], due: bool, culprit: str) -> None:
        around, started = self._around, asyncio.get_running_loop().time()
        await around.schemas.resolve(message.value for _, message in messages)
        crashpoint("cp2")
        batch = Batch(Moment(around.clock_ms()))
        touched = list(self._lanes.values()) if due else list({lane.id: lane for lane, _ in messages}.values())
        touched.sort(key=lambda lane: lane.id)
        next_offsets = {lane.id: message.offset + 1 for lane, message in messages}
        async with around.transaction() as tx:
            crashpoint("cp3")
            if (month := outbox.month_of(batch.moment.now_ms)) != self._month:  # a process may outlive many
                await outbox.open_months(tx, batch.moment.now_ms)
            await lanes.move(tx, touched, next_offsets)
            if around.service.refresh is not None:
                await around.service.refresh(tx)
            await self._decide(tx, batch, messages, due, culprit)
            written = await self._write(tx, batch, touched)
            counted = self._breaker.count([lane.id for lane, _ in messages], batch.parked)
            await breaker.stop(tx, counted.tripped, batch.moment.now_ms)
            taken = {lane.id: lane.next_offset for lane in self._lanes.values()} if batch.taken else {}
            read = (lane.id for lane, _ in messages)
            if turn := turns.turn_of(batch.moment.now_ms, read, next_offsets, taken, culprit):
                await turns.record(tx, turn)
            crashpoint("cp4")
        crashpoint("cp5")
        self._month = month
        self._remember(batch, touched, next_offsets, written)
        self._breaker.remember(counted)
        for place in counted.tripped:
            self._broken.add(place)
            self._stop_lane(self._lanes[place], "breaker")
        for lane, message in messages:
            lane.read_ms = message.timestamp_ms
        if written:
            said = [sealed for w in written for sealed in w.batches]
            around.observer.published(await around.publisher.publish(said))
        crashpoint("cp7")
        for w in written:
            w.lane.published = w.lane.position
        seconds = asyncio.get_running_loop().time() - started
        self._limit = fitting(self._limit, len(messages), seconds)
        around.observer.batch(batch, seconds)

    async def _decide(
        self, tx: Transaction, batch: Batch, messages: Sequence[tuple[Lane, Message]], due: bool, culprit: str
    ) -> None:
        decider = self._around.decider
        if due:
            self._due_at_ms = batch.moment.now_ms + DUE_EVERY_MS
            ids = list(self._lanes)
            if self._broken:
                await self._resume(tx)
            if any(lane.parked for lane in self._lanes.values()):
                await self._take_parked(tx, batch)
            fired = await timers.take(tx, ids, batch.moment.now_ms, DUE_LIMIT)
            batch.taken += len(fired)
            await decider.run(tx, batch, [(self._lanes[LaneId(m.topic, m.partition)], m) for m in fired])
        if culprit:
            for lane, message in messages:
                decider.park_culprit(batch, lane, message, culprit)
        else:
            await decider.run(tx, batch, messages)

    async def _take_parked(self, tx: Transaction, batch: Batch) -> None:
        """What an operator has discarded or released, before anything new of these lanes."""
        decider, ids = self._around.decider, list(self._lanes)
        discarded = await parking.take_discarded(tx, ids, batch.moment.now_ms, DUE_LIMIT)
        released = await parking.take_released(tx, ids, batch.moment.now_ms, DUE_LIMIT)
        for message in discarded:
            decider.discard(batch, self._lanes[LaneId(message.topic, message.partition)], message)
        await decider.run(tx, batch, [(self._lanes[LaneId(m.topic, m.partition)], m) for m in released], True)
        for place in {LaneId(m.topic, m.partition) for m in (*discarded, *released)}:
            # What this turn has read must not overtake what is still parked under its key.
            batch.blocked[place] = batch.blocked.get(place, set()) | await parking.keys(tx, place)
        batch.taken += len(discarded) + len(released)
        if DUE_LIMIT in (len(discarded), len(released)):
            self._due_at_ms = 0  # there is more: do not wait for the next second

    async def _write(self, tx: Transaction, batch: Batch, touched: Sequence[Lane]) -> list[outbox.Written]:
        if batch.timers:
            await timers.put(tx, batch.timers)
        if batch.parked:
            await parking.put(tx, batch.parked, batch.moment.now_ms)
        put_aside = {(p.message.topic, p.message.partition) for p in batch.parked}
        for lane in touched:
            if lane.parked or lane.id in put_aside or batch.blocked.get(lane.id):
                batch.blocked[lane.id] = await parking.keys(tx, lane.id)
        said_by = [(lane, batch.outgoing[lane.id]) for lane in touched if batch.outgoing.get(lane.id)]
        written = [await self._seal(lane, events, batch.moment.now_ms) for lane, events in said_by]
        if written:
            await outbox.append(tx, written, batch.moment.now_ms)
        said = {w.lane.id: w.event_count for w in written}
        spoken = [
            lanes.Spoken(lane, lane.position + said.get(lane.id, 0), batch.heard.get(lane.id, lane.origins))
            for lane in touched
            if lane.id in said or lane.id in batch.heard
        ]
        if spoken:
            new = {name for s in spoken for name in s.origins} - self._origin_ids.keys()
            batch.new_origins = await lanes.number_origins(tx, new) if new else {}
            await lanes.speak(tx, spoken, self._origin_ids | batch.new_origins if new else self._origin_ids)
        return written

    async def _seal(self, lane: Lane, events: Sequence[Outgoing], at_ms: int) -> outbox.Written:
        origin = lane.origin_name(self._around.service.name, self._incarnation)
        batches = await self._around.publisher.seal(origin, lane.position + 1, events, at_ms)
        return outbox.Written(lane, lane.position + 1, len(events), batches)

    def _remember(
        self,
        batch: Batch,
        touched: Sequence[Lane],
        next_offsets: Mapping[LaneId, int],
        written: Sequence[outbox.Written],
    ) -> None:
        """After COMMIT, and only then, memory follows the rows."""
        self._origin_ids.update(batch.new_origins)
        for w in written:
            w.lane.position = w.first_position + w.event_count - 1
        for lane in touched:
            if lane.id in next_offsets:  # a turn without messages has proven nothing about those that wait
                lane.next_offset, lane.attempts = next_offsets[lane.id], 0
            lane.origins = batch.heard.get(lane.id, lane.origins)
            lane.parked = batch.blocked.get(lane.id, lane.parked)

    # --- what others may look at -------------------------------------------------------------------------------

    async def show_offsets(self) -> None:
        """Commit to Kafka what stock lag tools look at; never read here, so failing is harmless.

        Not within a turn: a commit waits for a rebalance, and a rebalance waits for the turn.
        """
        offsets = {TopicPartition(*lane.id): lane.next_offset for lane in self._lanes.values()}
        try:
            if offsets:
                await asyncio.wait_for(self._consumer.commit(offsets), COMMIT_WAIT_S)
        except (KafkaError, TimeoutError) as error:
            self._around.observer.event("offsets_not_shown", error=type(error).__name__)

    def report_lag(self) -> None:
        """Tell the observer how far behind each lane is, in messages and in seconds of message age."""
        now = self._around.clock_ms()
        for lane, messages in self._lags():
            self._around.observer.lag(lane.id.topic, messages, (now - lane.read_ms) / 1000 if messages else 0.0)

    def beat(self) -> None:
        """Once a second, and waiting for nothing: the event loop turns, and this is what it has before it."""
        self._behind = sum(messages for lane, messages in self._lags() if not lane.stopped)
        self._beats += 1

    def _lags(self) -> Iterable[tuple[Lane, int]]:
        assigned: set[TopicPartition] = self._consumer.assignment()
        for lane in self._lanes.values():
            if TopicPartition(*lane.id) not in assigned:
                continue  # a rebalance has begun: the lane is still held, but there is nothing to ask about
            end: int = self._consumer.highwater(TopicPartition(*lane.id)) or 0
            yield lane, max(0, end - max(lane.next_offset, lane.passed))

    async def _farewell(self) -> None:
        """Write what was published, so that the next owner need not say it again."""
        if self._unclaimed or not self._lanes:
            return
        touched = sorted(self._lanes.values(), key=lambda lane: lane.id)
        try:
            async with self._around.transaction() as tx:
                await lanes.move(tx, touched, {})
        except Transient as trouble:
            self._around.observer.transient(trouble)


def fitting(limit: int, taken: int, seconds: float) -> int:
    """How many messages the next turn may take, after one with this limit took so many in so many seconds.

    A store that is slow gets fewer at a time: a batch that no time limit lets through would be tried for ever.
    """
    if seconds > TURN_S:
        return max(1, int(taken * TURN_S / seconds))
    return min(limit * 2, BATCH_LIMIT) if taken >= limit and seconds < TURN_S / 2 else limit
