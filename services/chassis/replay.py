"""Rebuilds a service's store in an empty database, from the topics and the journal of turns.

A store follows from three things: the messages its lanes have read, the order in which turns took them, and the moment
of each turn. The topics hold the first; the journal of turns (turns.py) holds the other two, written in each turn's own
transaction. So a replay reads the same messages again and commits the same turns at the same moments through the same
loop, handlers, `decide`, `evolve` and `save` as the live service; only nothing is published. What it would have said is
written to the new outbox, which must be equal to the old one: the replay proves not only what the service holds but
also what it has told.

Limits, stated: a message that retention or compaction has taken from its topic cannot be read again; then the replay
stops and names the lane (`Torn`), it never goes on with a hole. What is not written by turns (a service names it in
`Service.unreplayed`) is not rebuilt: disclosure's audit log, whose rows follow from questions, not from messages. What
followed from something that exists no longer, as a key that was destroyed, is taken from the live journal
(`Service.recall`) and counted; everything around it is made anew and compared.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.chassis import lanes, outbox
from services.chassis.batch import Batch
from services.chassis.committing import Committer
from services.chassis.due import Culprit, Look
from services.chassis.holding import Holding
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message
from services.chassis.publishing import Publisher
from services.chassis.record_batch import RecordBatch
from services.chassis.surroundings import Surroundings
from services.chassis.tape import Tape
from services.chassis.turn_size import TurnSize
from services.chassis.turns import Turn

Tell = Callable[[int, int], None]  # turns and messages so far
MONTH_MS = 28 * 86_400_000  # not longer than any month, so that none is stepped over


class NotEmpty(Exception):
    """The database to rebuild into holds something."""


class Silent:
    """In the publisher's place: seals as it does, but everything was said before."""

    def __init__(self, publisher: Publisher) -> None:
        self.seal = publisher.seal

    async def publish(self, batches: Sequence[RecordBatch]) -> int:
        """Says nothing."""
        return sum(batch.record_count for batch in batches)


class Unseen:
    """In the observer's place: a replay is no traffic."""

    def batch(self, batch: Batch, seconds: float) -> None: ...
    def lag(self, topic: str, messages: int, seconds: float) -> None: ...
    def published(self, count: int) -> None: ...
    def transient(self, error: Exception) -> None: ...
    def event(self, name: str, **fields: object) -> None: ...


class Unread(Holding):
    """Lanes that no client reads: their messages are given. What was read is read again, whatever became of it."""

    def stop(self, lane: Lane, why: str) -> None:
        """Nothing is stopped."""


class Replay:
    """The middle of the lane loop without a consumer group: its turns are given, not made."""

    def __init__(self, around: Surroundings) -> None:
        self._moment = 0
        quiet: Any = Silent(around.publisher)  # the loop uses of its publisher what Silent has
        self._around = replace(around, publisher=quiet, observer=Unseen(), clock_ms=lambda: self._moment)
        self._holding = Unread(None, self._around.observer)
        self._committer = Committer(self._around, self._holding, TurnSize())
        self._held: dict[LaneId, Lane] = {}

    async def begin(self, first: Mapping[LaneId, int], moments: Sequence[int]) -> None:
        """Take all lanes where they began; `moments` are the first and the last one there will be."""
        async with self._around.transaction() as tx:
            if await tx.fetchval("SELECT count(*) FROM lanes"):
                raise NotEmpty
            for at_ms in range(moments[0], moments[-1] + MONTH_MS, MONTH_MS):
                await outbox.open_months(tx, at_ms)
            self._held = {lane.id: lane for lane in await lanes.claim(tx, first, {})}
            # A part of every origin.
            self._committer.writer.incarnation = await tx.fetchval("SELECT number FROM incarnation")
            for lane in self._held.values():
                await lanes.begin_at(tx, lane, first[lane.id])

    async def turn(self, turn: Turn, messages: Mapping[LaneId, Sequence[Message]]) -> None:
        """Commit one turn as it was committed before."""
        self._moment = turn.now_ms
        self._holding.lanes = {moved.lane: self._held[moved.lane] for moved in turn.lanes}
        read = [(self._held[moved.lane], m) for moved in turn.lanes for m in messages.get(moved.lane, ())]
        look = Look(list(self._holding.lanes.values()), turn.due_limit) if turn.due else None
        await self._committer.commit(read, look, Culprit(turn.culprit) if turn.culprit else None)


async def rebuild(
    around: Surroundings, tape: Tape, turns: AsyncIterator[Turn], moments: Sequence[int], tell: Tell
) -> int:
    """Commit these turns into the store that `around` opens; returns how many messages they took.

    Raises `Torn` when a topic no longer has what a turn read, `NotEmpty` when the store holds something already.
    """
    loop, done, taken = Replay(around), 0, 0
    await loop.begin(tape.first, moments)
    async for turn in turns:
        messages = {m.lane: await tape.up_to(m.lane, m.next_offset, m.messages) for m in turn.lanes if m.messages}
        await loop.turn(turn, messages)
        done, taken = done + 1, taken + sum(map(len, messages.values()))
        tell(done, taken)
    return taken
