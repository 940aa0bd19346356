"""The journal of turns: what each committed turn took from its lanes, and when; what a replay repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import NamedTuple

from services.chassis.handling import Transaction
from services.chassis.lanes import LaneId

PAGE = 500
NOTHING_DUE = 500  # the column's default: the limit of a turn that took nothing due is of no account

INSERT = """
INSERT INTO turns (now_ms, due, due_limit, culprit, topics, partitions, next_offsets, messages)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
READ = "SELECT now_ms, due, due_limit, culprit, topics, partitions, next_offsets, messages FROM turns ORDER BY number"


class Moved(NamedTuple):
    """A lane in a turn: where it stood afterwards, and how many messages were read from it."""

    lane: LaneId
    next_offset: int
    messages: int


class Turn(NamedTuple):
    """One committed turn; the lanes are in the order in which their messages were decided.

    `due_limit`: how much of what was due in these lanes it took at most (due.py). `culprit`: the traceback with which
    what it took was parked, its messages, or without any the one thing due; empty: it was decided as usual.
    """

    now_ms: int
    due: bool
    due_limit: int
    culprit: str
    lanes: tuple[Moved, ...]


def turn_of(
    now_ms: int,
    read: Iterable[LaneId],
    next_offsets: Mapping[LaneId, int],
    taken: Mapping[LaneId, int],
    due_limit: int,
    culprit: str,
) -> Turn | None:
    """The entry of a turn; None for one that neither read nor took anything.

    `read`: the lane of each message, in order. `taken`: where the lanes stand from which timers or released messages
    were taken, empty when nothing was; `due_limit`: how many at most.
    """
    counts = Counter(read)
    lanes = [Moved(lane, next_offsets[lane], count) for lane, count in counts.items()]
    lanes += [Moved(lane, at, 0) for lane, at in taken.items() if lane not in counts]
    return Turn(now_ms, bool(taken), due_limit if taken else NOTHING_DUE, culprit, tuple(lanes)) if lanes else None


async def record(tx: Transaction, turn: Turn) -> None:
    """Enter a turn; the last statement of its transaction."""
    await tx.execute(
        INSERT,
        turn.now_ms,
        turn.due,
        turn.due_limit,
        turn.culprit,
        [moved.lane.topic for moved in turn.lanes],
        [moved.lane.partition for moved in turn.lanes],
        [moved.next_offset for moved in turn.lanes],
        [moved.messages for moved in turn.lanes],
    )


async def count(tx: Transaction) -> int:
    """How many turns there are."""
    return int(await tx.fetchval("SELECT count(*) FROM turns"))


async def all_turns(tx: Transaction) -> AsyncGenerator[Turn]:
    """Every turn, in an order in which they could have happened one after the other."""
    async for row in tx.cursor(READ, prefetch=PAGE):
        places = map(LaneId, row["topics"], row["partitions"])
        lanes = tuple(map(Moved, places, row["next_offsets"], row["messages"]))
        yield Turn(row["now_ms"], row["due"], row["due_limit"], row["culprit"], lanes)
