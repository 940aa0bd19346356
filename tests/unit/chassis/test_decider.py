"""One batch: repeats dropped by position, keys blocked behind a parked message, states threaded through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.chassis.batch import Batch, Decider
from services.chassis.errors import Unhandleable
from services.chassis.handling import Handler, Service
from services.chassis.lanes import Lane, LaneId
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.routing import router

LANE = LaneId("numbers", 0)


class Sum:
    """A running sum per key; refuses to decide on 13."""

    name = "sum"

    def __init__(self) -> None:
        self.stored: dict[bytes, int] = {}

    def key(self, given: tuple[bytes, int]) -> bytes:
        return given[0]

    async def load(self, tx: Any, given: Sequence[tuple[bytes, int]]) -> dict[bytes, int]:
        return {k: self.stored[k] for k, _ in given if k in self.stored}

    def initial(self, key: bytes) -> int:
        return 0

    def decide(self, state: int, given: tuple[bytes, int]) -> Sequence[int]:
        if given[1] == 13:
            raise Unhandleable("UNLUCKY")
        return [given[1]]

    def evolve(self, state: int, event: int) -> int:
        return state + event

    async def save(self, tx: Any, before: Mapping[bytes, int], after: Mapping[bytes, int], events: Any) -> None:
        self.stored |= after

    def announce(self, event: int, given: tuple[bytes, int]) -> Iterable[Outgoing]:
        yield Outgoing("sums", given[0], b"%d" % event)

    def timers(self, event: int, given: tuple[bytes, int]) -> Iterable[Timer]:
        return ()


def message(offset: int, key: bytes, number: int, position: int | None = None) -> Message:
    headers = () if position is None else (("origin", b"up"), ("position", b"%d" % position))
    return Message(*LANE, offset, key, b"%d" % number, headers, 0)


def certain_of_ones(messages: Sequence[Message], moment: Moment) -> list[tuple[bytes, int] | None]:
    """Reads a batch at once and is certain of one value only; it says 100 for 1, so that a test sees who read."""
    return [(m.key, 100) if m.value == b"1" else None for m in messages]


async def decide(messages: list[Message], lane: Lane | None = None, read_many: Any = None) -> tuple[Sum, Batch]:
    aggregate = Sum()

    def read(m: Message, moment: Moment) -> tuple[bytes, int]:
        if m.value == b"7":
            raise Unhandleable("BAD_BYTES")
        return m.key, int(m.value or b"0")

    def parked(m: Message, code: str, moment: Moment) -> Iterable[Outgoing]:
        yield Outgoing("told", m.key, code.encode())

    service = Service("test", (Handler("numb*", aggregate, read, read_many),), None, parked)
    batch = Batch(Moment(0))
    lane = lane or Lane(LANE, 1, 0, 0, 0, 0)
    await Decider(service, router(service, lambda m: "")).run(None, batch, [(lane, m) for m in messages])  # type: ignore[arg-type] # no database here
    return aggregate, batch


async def test_two_messages_of_one_key_in_one_batch_see_each_other() -> None:
    aggregate, batch = await decide([message(0, b"a", 1), message(1, b"a", 2)])
    assert aggregate.stored == {b"a": 3}
    assert [o.value for o in batch.outgoing[LANE]] == [b"1", b"2"]


async def test_a_position_heard_before_is_dropped() -> None:
    lane = Lane(LANE, 1, 0, 0, 0, 0, {"up": 5})
    aggregate, batch = await decide([message(0, b"a", 1, 5), message(1, b"a", 2, 6), message(2, b"a", 2, 6)], lane)
    assert aggregate.stored == {b"a": 2}
    assert batch.heard == {LANE: {"up": 6}}
    assert lane.origins == {"up": 5}  # memory follows the commit, never precedes it


async def test_a_bad_message_is_parked_and_its_key_waits_behind_while_neighbours_go_on() -> None:
    sent = [message(0, b"a", 7), message(1, b"b", 1), message(2, b"a", 2)]
    aggregate, batch = await decide(sent)
    assert aggregate.stored == {b"b": 1}
    assert [(p.message.offset, p.code) for p in batch.parked] == [(0, "BAD_BYTES"), (2, "BEHIND_PARKED")]
    assert [o.value for o in batch.outgoing[LANE] if o.topic == "told"] == [b"BAD_BYTES", b"BEHIND_PARKED"]


async def test_what_cannot_be_decided_is_parked_without_an_effect() -> None:
    aggregate, batch = await decide([message(0, b"a", 1), message(1, b"a", 13)])
    assert aggregate.stored == {b"a": 1}
    assert [p.code for p in batch.parked] == ["UNLUCKY"]


async def test_what_follows_one_of_its_key_that_cannot_be_decided_waits_and_what_came_before_is_applied() -> None:
    sent = [(b"a", 1), (b"b", 13), (b"a", 13), (b"b", 2), (b"a", 3), (b"", 13), (b"", 4), (b"c", 5)]
    aggregate, batch = await decide([message(n, *one) for n, one in enumerate(sent)])
    assert aggregate.stored == {b"a": 1, b"": 4, b"c": 5}
    parked = [(p.message.offset, p.code) for p in batch.parked]
    assert parked == [(1, "UNLUCKY"), (2, "UNLUCKY"), (3, "BEHIND_PARKED"), (4, "BEHIND_PARKED"), (5, "UNLUCKY")]


async def test_messages_without_a_key_do_not_block_each_other() -> None:
    _, batch = await decide([message(0, b"", 7), message(1, b"", 2)])
    assert [p.message.offset for p in batch.parked] == [0]


async def test_a_parked_message_published_again_is_not_parked_twice() -> None:
    _, batch = await decide([message(0, b"a", 7, 1), message(1, b"a", 7, 1)])
    assert [p.message.offset for p in batch.parked] == [0]


async def test_what_is_read_at_once_and_what_is_not_are_decided_in_order() -> None:
    sent = [message(0, b"a", 2), message(1, b"a", 1), message(2, b"a", 3)]
    aggregate, batch = await decide(sent, read_many=certain_of_ones)
    assert [o.value for o in batch.outgoing[LANE]] == [b"2", b"100", b"3"]
    assert aggregate.stored == {b"a": 105}


async def test_what_was_read_at_once_waits_behind_a_parked_message_and_is_dropped_when_heard_before() -> None:
    sent = [message(0, b"a", 7, 1), message(1, b"a", 1, 2), message(2, b"b", 1, 3), message(3, b"b", 1, 3)]
    aggregate, batch = await decide(sent, read_many=certain_of_ones)
    assert [p.code for p in batch.parked] == ["BAD_BYTES", "BEHIND_PARKED"]
    assert aggregate.stored == {b"b": 100}


async def test_a_timer_is_never_read_as_one_of_many() -> None:
    timer = Message(*LANE, -1, b"a", b"1", (("timer", b"wake"),), 0)
    _, batch = await decide([timer], read_many=certain_of_ones)
    assert [p.code for p in batch.parked] == ["NO_HANDLER"]
