"""Who tests the tests: thirteen bugs, planted by replacing a function from outside; each must be found."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from services.chassis import lanes, membership, outbox, parking, publishing, timers
from services.chassis.batch import Batch, Decider
from services.chassis.lanes import Lane
from services.chassis.message import Message
from services.ingestion.contracts.answers import Speaker
from services.ingestion.domain.events import SubmissionDuplicate
from services.ingestion.domain.submission import Submission
from tests.sim.store import chassis
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, replaced, update
from tests.sim.store.transactions import CURRENT

_move, _claim = lanes.move, lanes.claim
_repeated, _park, _read = Decider._repeated, Decider.park, Decider._read  # pyright: ignore[reportPrivateUsage]
_announce = Speaker.announce
_publish = publishing.Publisher.publish
_ask = membership.ask


async def ack_before_commit(tx: Any, touched: Sequence[Lane], next_offsets: Any) -> None:
    """The offsets are durable before what follows from the messages is."""
    await _move(tx, touched, next_offsets)
    tx.tx.commit()
    tx.tx = Tx(tx.tx.database, tx.tx.owner)
    CURRENT.set(tx.tx)


async def no_compare(tx: Tx, *arrays: list[Any]) -> str:
    """The lane rows are moved whoever owns them and wherever they are."""
    rows = columns("topic partition epoch expected next_offset published", *arrays)
    for row in rows:
        where = row["topic"], row["partition"]
        await update(tx, "lanes", {where: {name: row[name] for name in ("next_offset", "published")}})
    return f"UPDATE {len(rows)}"


async def no_epoch(tx: Tx, topics: list[str], partitions: list[int], attempts: list[int]) -> Any:
    """A lane is taken over under the number that its last owner had."""
    rows: list[Any] = list(await chassis.claim(tx, topics, partitions, attempts))
    for row in rows:
        key = row["topic"], row["partition"]
        row["epoch"] = 1
        tx.put("lanes", key, {**(tx.get("lanes", key) or {}), "epoch": 1})
    return rows


async def publish_failure_skipped(publisher: Any, batches: Any) -> int:
    """A failed publish is taken for one that succeeded."""
    try:
        return await _publish(publisher, batches)
    except publishing.PublishFailed:
        return 0


async def position_before_lock(tx: Any, ids: Any, origins: Any, known: Any = ()) -> list[Lane]:
    """The position is read before the lane row is locked: the old owner's last commit may come in between."""
    wanted = list(ids)
    before: dict[Any, int | None] = {i: (tx.tx.get("lanes", tuple(i)) or Row()).get("position") for i in wanted}
    claimed = await _claim(tx, wanted, origins, known)
    for lane in claimed:
        position = before[lane.id]
        lane.position = lane.position if position is None else position
    return claimed


def off_by_one(decider: Decider, batch: Batch, lane: Lane, message: Message) -> bool:
    """The last position heard is not taken for a repeat."""
    origin, position = message.header("origin"), message.header("position")
    heard = batch.heard.get(lane.id, lane.origins)
    if origin is not None and position is not None and heard.get(origin.decode()) == int(position):
        return False
    return _repeated(decider, batch, lane, message)


def no_block(decider: Decider, batch: Batch, lane: Lane, message: Message, code: str, detail: str) -> None:
    """Those that follow a parked message are not put behind it."""
    before = set(batch.blocked.get(lane.id, ()))
    _park(decider, batch, lane, message, code, detail)
    batch.blocked[lane.id] = before


async def nothing_blocked(tx: Any, lane: Any) -> set[bytes]:
    """The other half of the same."""
    return set()


async def timer_twice(tx: Tx, *arguments: Any) -> list[Row]:
    """What is due is read and left where it is, until the second time."""
    fired: list[Any] = list(await chassis.take_timers(tx, *arguments))
    for row in fired:
        key = row["topic"], row["partition"], row["kind"], row["key"]
        await tx.lock("fired once", (*key, row["due_at"]))
        if tx.get("fired once", (*key, row["due_at"])) is None:
            tx.put("fired once", (*key, row["due_at"]), Row())
            del tx.written["timers"][key]
    return fired


def duplicate_receipt(speaker: Speaker, event: Any, given: Submission) -> Any:
    """A duplicate is answered twice."""
    said = tuple(_announce(speaker, event, given))
    return said * 2 if isinstance(event, SubmissionDuplicate) else said


def overtaken(decider: Decider, batch: Batch, messages: Any, released: bool) -> Any:
    """Within a batch, withdrawals wait until everything else is done."""
    read = _read(decider, batch, messages, released)
    return sorted(read, key=lambda g: isinstance(g.given, Submission) and g.given.action == "withdraw")


async def nothing_unpublished(tx: Any, lane: Lane) -> list[Any]:
    """A new owner publishes nothing again."""
    return []


async def unordered(publisher: Any, batches: Any) -> int:
    """What is ready is published in any order, here the last first."""
    return await _publish(publisher, list(reversed(batches)))


class Unasked:
    """A client whose group is not asked."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)

    async def commit(self, offsets: Any) -> None: ...


async def unasked(consumer: Any, wanted: Any) -> membership.Grant:
    """Lanes that were this process' once are claimed again without a word of the group."""
    return (await _ask(Unasked(consumer), wanted))._replace(since=math.inf)


class Bug(NamedTuple):
    """What is replaced: (object, attribute, by what), or a statement."""

    name: str
    parts: Sequence[tuple[Any, str, Any]] = ()
    statement: tuple[str, Callable[..., Any]] | None = None


BUGS = {
    1: Bug("ack before commit", [(lanes, "move", ack_before_commit)]),
    2: Bug("no compare-and-set", statement=(lanes.MOVE, no_compare)),
    3: Bug("no epoch", statement=(lanes.CLAIM, no_epoch)),
    4: Bug("publish failure skipped", [(publishing.Publisher, "publish", publish_failure_skipped)]),
    5: Bug("position taken before the lock", [(lanes, "claim", position_before_lock)]),
    6: Bug("off-by-one in the gap check", [(Decider, "_repeated", off_by_one)]),
    7: Bug("parked key not blocking later ones", [(Decider, "park", no_block), (parking, "keys", nothing_blocked)]),
    8: Bug("timer fired twice", statement=(timers.TAKE, timer_twice)),
    9: Bug("duplicate receipt", [(Speaker, "announce", duplicate_receipt)]),
    10: Bug("withdrawal overtaken by a correction", [(Decider, "_read", overtaken)]),
    11: Bug("outbox not replayed", [(outbox, "unpublished", nothing_unpublished)]),
    12: Bug("unordered relay", [(publishing.Publisher, "publish", unordered)]),
    13: Bug("a woken zombie takes its lanes back", [(membership, "ask", unasked)]),
}  # fmt: skip


@contextmanager
def planted(number: int | None) -> Generator[None]:
    """With this bug for as long as the block lasts."""
    if number is None:
        yield
        return
    bug = BUGS[number]
    before = [(where, name, getattr(where, name)) for where, name, _ in bug.parts]
    for where, name, part in bug.parts:
        setattr(where, name, part)
    try:
        with replaced(*bug.statement) if bug.statement else replaced("", None):
            yield
    finally:
        for where, name, part in before:
            setattr(where, name, part)
