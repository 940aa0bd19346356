"""A service in memory whose processes die of their code and are started again, on the simulator's store."""

from __future__ import annotations

import contextvars
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from services.chassis import lanes, parking, postgres
from services.chassis.batch import Decider
from services.chassis.committing import Committer
from services.chassis.holding import Holding
from services.chassis.lanes import LaneId
from services.chassis.message import Message, Outgoing
from services.chassis.orders import Kind
from services.chassis.record_batch import RecordBatch
from services.chassis.replay import Replay
from services.chassis.routing import router
from services.chassis.surroundings import Surroundings
from services.chassis.turn_size import TurnSize
from services.chassis.turns import Moved, Turn
from tests.sim.store import REGISTERED as REGISTERED
from tests.sim.store.connection import Pool
from tests.sim.store.engine import Database, Row
from tests.sim.troubles import Troubles
from tests.sim.virtual import VirtualLoop
from tests.unit.chassis.lists import Code

A, B, ORDERS = LaneId("numbers", 0), LaneId("numbers", 1), LaneId("orders", 0)


class Voice:
    """In the publisher's place."""

    async def seal(self, origin: bytes, position: int, events: Sequence[Outgoing], at_ms: int) -> list[RecordBatch]:
        said = repr([(position + n, event.key, event.value) for n, event in enumerate(events)])
        return [RecordBatch("told", 0, len(events), at_ms, said.encode())]

    async def publish(self, batches: Sequence[RecordBatch]) -> int:
        return sum(batch.record_count for batch in batches)


class Nobody:
    """In the observer's place, and the registry's."""

    def batch(self, batch: Any, seconds: float) -> None: ...
    def lag(self, topic: str, messages: int, seconds: float) -> None: ...
    def published(self, count: int) -> None: ...
    def transient(self, error: Any) -> None: ...
    def event(self, name: str, **fields: object) -> None: ...
    async def resolve(self, values: Any) -> None: ...


class Life:
    """The store, the topics and the clock, which outlive the processes; `due_ms` counts from the first moment."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop, self.code, self.log = loop, Code(), dict[LaneId, list[Message]]()
        self.database = Database("test", loop)
        self.offset_ms = 0
        self.committer: Committer
        self.held: dict[LaneId, lanes.Lane] = {}

    def around(self, database: Database) -> Surroundings:
        """What a process works with."""
        service, nobody = self.code.service(), Nobody()
        voice: Any = Voice()  # the loop uses of its publisher what this has
        pool: Any = Pool(database, Troubles(random.Random(1), contextvars.copy_context()))
        return Surroundings(
            service=service,
            decider=Decider(service, router(service, lambda m: "")),
            publisher=voice,
            schemas=nobody,
            transaction=lambda: postgres.transaction(pool),
            clock_ms=lambda: self.now_ms,
            observer=nobody,
        )

    @property
    def now_ms(self) -> int:
        """Virtual time, and what a test has added."""
        return self.loop.now_ms() + self.offset_ms

    async def start(self) -> None:
        """A new process takes all lanes over."""
        around = self.around(self.database)
        holding = Holding(None, around.observer)
        self.committer = Committer(around, holding, TurnSize())
        async with around.transaction() as tx:
            self.committer.writer.origin_ids = await lanes.all_origins(tx)
            for lane in await lanes.claim(tx, [A, B, ORDERS], {}):
                lane.parked = await parking.keys(tx, lane.id)
                if lane.next_offset < 0:
                    await lanes.begin_at(tx, lane, 0)
                holding.lanes[lane.id] = lane
        self.held = holding.lanes
        self.committer.due.claimed()

    async def read(self, lane: LaneId, *said: tuple[bytes, bytes], alone: bool = False) -> None:
        """Keys and values arrive on a lane and are read in one turn."""
        log = self.log.setdefault(lane, [])
        new = [Message(*lane, len(log) + n, key, value, (), self.now_ms) for n, (key, value) in enumerate(said)]
        log += new
        await self.committer.apply([(self.held[lane], m) for m in new], due=False, alone=alone)

    async def order(self, kind: Kind, lane: LaneId, offset: int) -> None:
        """An operator's word about what is parked."""
        await self.read(ORDERS, (b"", f"{kind}/{lane.topic}/{lane.partition}/{offset}".encode()))

    async def due(self) -> int:
        """As the loop does: turns of one due thing until nothing is suspected, then one of all; how many there were."""
        turns = 1
        while self.committer.due.alone:
            await self.committer.apply([], due=True, alone=False)
            turns += 1
        await self.committer.apply([], due=True, alone=False)
        return turns

    async def deaths(self, of: Callable[[], Awaitable[Any]], most: int = 9) -> int:
        """Start and do it until a process survives it; how many did not."""
        for count in range(most):
            await self.start()
            try:
                await of()
            except ZeroDivisionError:
                continue
            return count
        raise AssertionError("none survives it")

    def rows(self, table: str, names: str) -> list[tuple[Any, ...]]:
        """These columns of what is committed."""
        return sorted(tuple(row[name] for name in names.split()) for row in self.database.tables[table].values())

    def lists(self) -> dict[bytes, tuple[int, ...]]:
        """What each key has had."""
        return dict(self.rows("lists", "key numbers"))

    def turns(self) -> list[Turn]:
        """The journal."""
        found = sorted(self.database.tables["turns"].items())
        return [
            Turn(row["now_ms"], row["due"], row["due_limit"], row["culprit"], tuple(
                Moved(LaneId(*place), *rest)
                for *place, rest in zip(row["topics"], row["partitions"],
                                        zip(row["next_offsets"], row["messages"], strict=True), strict=True)))
            for _, row in found
        ]  # fmt: skip

    async def replayed(self) -> Database:
        """Another store, made of the topics and the journal by code that is not broken any more."""
        self.code.broken = False
        database = Database("test", self.loop)
        replay, read = Replay(self.around(database)), dict.fromkeys((A, B, ORDERS), 0)
        turns = self.turns()
        await replay.begin(read, [turn.now_ms for turn in (turns[0], turns[-1])])
        for turn in turns:
            messages = {m.lane: self.log[m.lane][read[m.lane] : m.next_offset] for m in turn.lanes if m.messages}
            read |= {m.lane: m.next_offset for m in turn.lanes}
            await replay.turn(turn, messages)
        return database


def content(database: Database) -> dict[str, list[str]]:
    """Every table, but for what a rebuilt store may differ in (services/chassis/state_hash.py)."""
    free = {"epoch", "attempts", "published", "origin_ids"}

    def told(row: Row) -> str:
        return repr(sorted((name, value) for name, value in row.items() if name not in free))

    return {name: sorted(map(told, rows.values())) for name, rows in database.tables.items() if rows}


def lived(story: Callable[[Life], Awaitable[None]]) -> Callable[[], None]:
    """A test on virtual time."""

    def test() -> None:
        loop = VirtualLoop()
        try:
            loop.run(_told(story, Life(loop)))
        finally:
            loop.close()

    test.__name__ = getattr(story, "__name__", "story")
    return test


async def _told(story: Callable[[Life], Awaitable[None]], life: Life) -> None:
    await story(life)
