"""The lane row: epoch, next offset, position, published, and the positions heard per origin (architecture §3.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.chassis.errors import LaneLost
from services.chassis.handling import Transaction

SUSPECT_AFTER = 3  # claims without progress: then one thing at a time, and a culprit is parked


class LaneId(NamedTuple):
    """One consumed partition."""

    topic: str
    partition: int


@dataclass(slots=True)
class Lane:
    """What the owner of a lane knows of it; equal to its row after each commit."""

    id: LaneId
    epoch: int
    next_offset: int
    position: int
    published: int  # by memory; the row has `noted`, and follows with the next turn that moves the lane
    attempts: int  # processes that have claimed it since it last moved
    origins: dict[str, int] = field(default_factory=dict[str, int])
    parked: set[bytes] = field(default_factory=set[bytes])
    stopped: bool = False
    read_ms: int = 0  # when the last message read here was published
    passed: int = 0  # up to here it is known that no further message waits
    served: int = 0  # the last turn that did not serve all lanes and served this one
    noted: int = -1  # -1: not known

    def origin_name(self, service: str, incarnation: int) -> bytes:
        """The `origin` header of everything this lane says."""
        return f"{service}/{incarnation}/{self.id.topic}/{self.id.partition}".encode()


CLAIM = """
INSERT INTO lanes (topic, partition, epoch, next_offset, position, published, attempts, origin_ids, origin_positions)
SELECT t, p, 1, -1, 0, 0, a, '{}', '{}' FROM unnest($1::text[], $2::int[], $3::int[]) AS u (t, p, a) ORDER BY t, p
ON CONFLICT (topic, partition) DO UPDATE SET epoch = lanes.epoch + 1, attempts = lanes.attempts + excluded.attempts
RETURNING topic, partition, epoch, next_offset, position, published, attempts, origin_ids, origin_positions
"""

# A process frozen in the middle of a COPY holds its lanes' rows, and no time limit of the server ends that: it looks
# at none while it reads what a client copies. No batch copies for so long; ending a live one by mistake is Transient.
END_FROZEN = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
  AND wait_event = 'ClientRead' AND state IN ('active', 'idle in transaction')
  AND state_change < clock_timestamp() - interval '10 seconds'
"""

# The compare-and-set that makes a zombie harmless: one row per lane, or somebody else owns one of them by now.
MOVE = """
UPDATE lanes SET next_offset = u.next, published = u.published,
    attempts = CASE WHEN u.next > u.expected THEN 0 ELSE lanes.attempts END
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS u (topic, partition, epoch, expected, next, published)
WHERE lanes.topic = u.topic AND lanes.partition = u.partition
  AND lanes.epoch = u.epoch AND lanes.next_offset = u.expected
"""

SPEAK = """
UPDATE lanes SET position = u.position, origin_ids = u.ids::int[], origin_positions = u.positions::bigint[]
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::text[])
    AS u (topic, partition, position, ids, positions)
WHERE lanes.topic = u.topic AND lanes.partition = u.partition
"""


async def claim(
    tx: Transaction, ids: Iterable[LaneId], origins: Mapping[str, int], known: Collection[LaneId] = ()
) -> list[Lane]:
    """Take these lanes over: whoever held them before is fenced from now on. `origins`: as from `all_origins`.

    `known` are those that this process has claimed before: to claim them again is no new attempt. Only a process that
    died is held against the message it died of, not a database that was away.
    """
    await tx.execute(END_FROZEN)
    wanted = sorted(ids)
    attempts = [int(i not in known) for i in wanted]
    rows = await tx.fetch(CLAIM, [i.topic for i in wanted], [i.partition for i in wanted], attempts)
    names = {number: name for name, number in origins.items()}
    if any(i not in names for row in rows for i in row["origin_ids"]):
        # The claim waited for the old owner's last commit, and that had numbered an origin.
        names = {number: name for name, number in (await all_origins(tx)).items()}
    lanes = [Lane(LaneId(r["topic"], r["partition"]), *(r[c] for c in PLAIN)) for r in rows]
    for lane, row in zip(lanes, rows, strict=True):
        lane.origins = {names[i]: p for i, p in zip(row["origin_ids"], row["origin_positions"], strict=True)}
    return lanes


async def next_offsets(tx: Transaction) -> dict[LaneId, int]:
    """Where every lane of this store stands, whoever owns it."""
    rows = await tx.fetch("SELECT topic, partition, next_offset FROM lanes")
    return {LaneId(row["topic"], row["partition"]): row["next_offset"] for row in rows}


def behind(shown: Mapping[LaneId, int], stands: Mapping[LaneId, int]) -> list[LaneId]:
    """The lanes of a store that stand before what it once had, as it has shown itself; in order.

    What a store shows, it has: so this one was brought back to an earlier moment, or is another one.
    """
    return sorted(lane for lane, offset in shown.items() if offset > max(0, stands.get(lane, 0)))


PLAIN = ("epoch", "next_offset", "position", "published", "attempts")


async def begin_at(tx: Transaction, lane: Lane, offset: int) -> None:
    """A lane that was never read starts at the first offset the broker still has."""
    status = await tx.execute(
        "UPDATE lanes SET next_offset = $4 WHERE topic = $1 AND partition = $2 AND epoch = $3 AND next_offset = -1",
        lane.id.topic,
        lane.id.partition,
        lane.epoch,
        offset,
    )
    if status != "UPDATE 1":
        raise LaneLost(str(lane.id))
    lane.next_offset = offset


async def move(tx: Transaction, lanes: Sequence[Lane], next_offsets: Mapping[LaneId, int]) -> None:
    """Move the lanes first, before anything else is written; raises `LaneLost`."""
    status = await tx.execute(
        MOVE,
        [lane.id.topic for lane in lanes],
        [lane.id.partition for lane in lanes],
        [lane.epoch for lane in lanes],
        [lane.next_offset for lane in lanes],
        [next_offsets.get(lane.id, lane.next_offset) for lane in lanes],
        [lane.published for lane in lanes],
    )
    if status != f"UPDATE {len(lanes)}":
        raise LaneLost(f"{status} of {len(lanes)}")


async def all_origins(tx: Transaction) -> dict[str, int]:
    """The number of every origin this store has heard; small: one per lane of the services upstream."""
    return {row["name"]: row["id"] for row in await tx.fetch("SELECT id, name FROM origins")}


async def number_origins(tx: Transaction, names: Iterable[str]) -> dict[str, int]:
    """Give these origins a number, or find the one another process has just given them."""
    rows = await tx.fetch(
        "INSERT INTO origins (name) SELECT * FROM unnest($1::text[]) ORDER BY 1 "
        "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, name",
        list(names),
    )
    return {row["name"]: row["id"] for row in rows}


class Spoken(NamedTuple):
    """A lane's new last position and its origins after this batch."""

    lane: Lane
    position: int
    origins: Mapping[str, int]


async def speak(tx: Transaction, spoken: Sequence[Spoken], ids: Mapping[str, int]) -> None:
    """Write the last positions said and heard; the rows are held since `move`."""
    await tx.execute(
        SPEAK,
        [s.lane.id.topic for s in spoken],
        [s.lane.id.partition for s in spoken],
        [s.position for s in spoken],
        [_array(ids[name] for name in s.origins) for s in spoken],
        [_array(s.origins.values()) for s in spoken],
    )


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"
