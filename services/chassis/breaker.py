"""Stops a lane most of whose messages cannot be handled: after a bad deploy, or when a sender's programs are broken.

A lane is a source: an agency has its own topic, and what another service says comes on a topic of its own. The stop is
written in the transaction that trips it and lasts until an operator's command, `resume_lane`, takes it back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from services.chassis import parking
from services.chassis.commands import Codec, Command, Fault, answer, read_command
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Transaction
from services.chassis.lanes import LaneId
from services.chassis.message import Message, Moment, Outgoing, Timer

WINDOW = 1000  # messages; then the count begins anew
SHARE = 0.5

NOT_STOPPED = Fault(
    "NOT_STOPPED", "topic", "the lane must be stopped", "", "该分区未被停止", "the breaker has stopped no such lane", ""
)


class Seen(NamedTuple):
    """Messages read since the count began, and how many of them could not be handled."""

    read: int = 0
    unhandled: int = 0


class Counted(NamedTuple):
    """The counts after a turn, and the lanes that it trips."""

    seen: Mapping[LaneId, Seen]
    tripped: Sequence[LaneId]


class Breaker:
    """Counts per lane. `exempt`: the topic of the commands, or none could come through that closes a breaker."""

    def __init__(self, exempt: str) -> None:
        self._exempt = exempt
        self._seen: dict[LaneId, Seen] = {}

    def count(self, read: Iterable[LaneId], parked: Iterable[parking.Parked]) -> Counted:
        """What a turn makes of the counts: `read` is the lane of each message, `parked` what it has put aside.

        A message that is only parked behind another one can be handled, for all we know. Nothing is remembered here:
        the turn may yet be rolled back.
        """
        reads = Counter(read)
        bad = Counter(LaneId(p.message.topic, p.message.partition) for p in parked if p.code != parking.BEHIND)
        seen: dict[LaneId, Seen] = {}
        for lane, count in reads.items():
            before = self._seen.get(lane, Seen())
            # Of the messages parked here some may have been released, and not read: they count for what was read.
            seen[lane] = Seen(before.read + count, before.unhandled + min(bad[lane], count))
        tripped = [lane for lane, now in seen.items() if lane.topic != self._exempt and trips(now)]
        return Counted(seen, sorted(tripped))

    def remember(self, counted: Counted) -> None:
        """After COMMIT; a window that is over begins anew."""
        for lane, seen in counted.seen.items():
            self._seen[lane] = Seen() if seen.read >= WINDOW else seen

    def forget(self, lane: LaneId) -> None:
        """A lane that is let go on is judged anew."""
        self._seen.pop(lane, None)


def trips(seen: Seen) -> bool:
    """More than the share of the window, or of what was read if that is more than a window."""
    return seen.unhandled > max(WINDOW, seen.read) * SHARE


BROKEN = """
SELECT topic, partition FROM stopped_lanes WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
"""
STOP = """
INSERT INTO stopped_lanes (topic, partition, stopped_at) SELECT t, p, $3 FROM unnest($1::text[], $2::int[]) AS u (t, p)
ON CONFLICT DO NOTHING
"""
GO_ON = "DELETE FROM stopped_lanes WHERE topic = $1 AND partition = $2"


async def broken(tx: Transaction, lanes: Collection[LaneId]) -> set[LaneId]:
    """Those among these that the breaker has stopped."""
    rows = await tx.fetch(BROKEN, [lane.topic for lane in lanes], [lane.partition for lane in lanes])
    return {LaneId(row["topic"], row["partition"]) for row in rows}


async def stop(tx: Transaction, lanes: Sequence[LaneId], now_ms: int) -> None:
    """Write down that these lanes are stopped."""
    if lanes:
        at = parking.time_of(now_ms)
        await tx.execute(STOP, [lane.topic for lane in lanes], [lane.partition for lane in lanes], at)


class ResumeAsked(NamedTuple):
    """An operator's word that a lane may go on."""

    command: Command
    lane: LaneId
    now_ms: int


class StoppedLanes:
    """The aggregate behind `resume_lane`: a lane is stopped or not; its owner looks once a second."""

    name = "stopped_lane"

    def __init__(self, service: str, codec: Codec) -> None:
        self._service = service
        self._codec = codec

    def key(self, given: ResumeAsked) -> LaneId:
        return given.lane

    async def load(self, tx: Transaction, given: Sequence[ResumeAsked]) -> dict[LaneId, bool]:
        return dict.fromkeys(await broken(tx, [g.lane for g in given]), True)

    def initial(self, key: LaneId) -> bool:
        return False

    def decide(self, state: bool, given: ResumeAsked) -> Sequence[bool]:
        """One event: whether the lane was stopped, and so goes on now."""
        return [state]

    def evolve(self, state: bool, event: bool) -> bool:
        return False

    async def save(
        self,
        tx: Transaction,
        before: Mapping[LaneId, bool],
        after: Mapping[LaneId, bool],
        events: Sequence[tuple[LaneId, bool]],
    ) -> None:
        for lane in sorted({lane for lane, was_stopped in events if was_stopped}):
            await tx.execute(GO_ON, *lane)

    def announce(self, event: bool, given: ResumeAsked) -> Iterable[Outgoing]:
        yield answer(self._codec, self._service, given.command, () if event else (NOT_STOPPED,), given.now_ms)

    def timers(self, event: bool, given: ResumeAsked) -> Iterable[Timer]:
        return ()


def handler(service: str, codec: Codec) -> Handler:
    """`resume_lane`: topic, partition."""
    return Handler("command:resume_lane", StoppedLanes(service, codec), reader(codec))


def reader(codec: Codec) -> Callable[[Message, Moment], ResumeAsked]:
    """Reads the command; raises `Unhandleable`."""

    def read(message: Message, moment: Moment) -> ResumeAsked:
        command = read_command(codec, message)
        try:
            lane = LaneId(str(command.arguments["topic"]), int(command.arguments["partition"]))
        except (KeyError, ValueError, TypeError) as error:
            raise Unhandleable("COMMAND_UNREADABLE", type(error).__name__) from error
        return ResumeAsked(command, lane, moment.now_ms)

    return read
