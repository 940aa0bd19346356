"""A timer or a released message that ends the process is found and parked; what is around it goes on, in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis import due, timers
from services.chassis.due import ALONE, Culprit, Look, Overtaken
from services.chassis.message import Message
from services.chassis.turns import NOTHING_DUE
from tests.unit.chassis.lists import BAD, BUG
from tests.unit.chassis.lives import ORDERS, A, B, Life, content, lived

PARKED = "partition offset code released_at"


async def timers_set(life: Life) -> None:
    """Four that are due, the second of lane A ends the process; each key has had a 1 before."""
    await life.start()
    at = life.now_ms + 10
    await life.read(A, (b"a", b"1 2@%d" % at), (b"b", b"1 %d@%d" % (BUG, at)), (b"c", b"1 2@%d" % (at + 5)))
    await life.read(B, (b"d", b"1 2@%d" % at))
    life.offset_ms += 20


@lived
async def test_a_timer_is_parked_after_three_deaths_and_the_others_fire(life: Life) -> None:
    await timers_set(life)
    assert await life.deaths(life.due) == 2, "with the process that has set them: three"
    assert life.lists() == {b"a": (1, 2), b"b": (1,), b"c": (1, 2), b"d": (1, 2)}
    assert life.rows("timers", "key") == []
    ((detail, headers),) = life.rows("parked", "detail headers")
    assert life.rows("parked", PARKED) == [(0, -2, "CRASHED", None)]
    assert "ZeroDivisionError: a planted bug" in detail
    assert json.loads(headers) == [["timer", b"later".hex()]]


@lived
async def test_a_parked_timer_holds_its_key_and_is_released_to_its_handler(life: Life) -> None:
    await timers_set(life)
    await life.deaths(life.due)
    await life.read(A, (b"b", b"3"), (b"a", b"3"))
    assert life.lists()[b"b"] == (1,)
    assert life.lists()[b"a"] == (1, 2, 3)
    life.code.broken = False
    await life.start()
    await life.order("release", A, -2)
    await life.due()
    assert life.lists()[b"b"] == (1, BUG, 3)
    assert life.rows("parked", PARKED) == []


@lived
async def test_a_timer_that_is_released_too_early_is_parked_in_its_old_place(life: Life) -> None:
    await timers_set(life)
    await life.deaths(life.due)
    await life.read(A, (b"b", b"3"))
    await life.order("release", A, -2)
    assert await life.deaths(life.due) == 2
    assert life.rows("parked", PARKED) == [(0, -2, "CRASHED", None), (0, 3, "BEHIND_PARKED", None)]


async def two_keys_parked(life: Life) -> None:
    """Key a: the first of three ends the process; key b: a number that is parked and one behind it. Both released."""
    await life.start()
    await life.read(A, (b"a", b"%d" % BUG), alone=True)
    await life.read(A, (b"a", b"2"), (b"b", b"%d" % BAD), (b"a", b"3"), (b"b", b"5"), (b"c", b"1"))
    await life.order("release", A, 0)
    await life.order("release", A, 2)


@lived
async def test_a_released_message_that_ends_the_process_is_parked_again_with_its_key_behind_it(life: Life) -> None:
    await two_keys_parked(life)
    before = life.now_ms
    life.offset_ms += 1000
    assert await life.deaths(life.due) == 2
    behind = [(0, place, "BEHIND_PARKED", None) for place in (1, 3, 4)]
    assert life.rows("parked", PARKED) == [(0, 0, "CRASHED", None), behind[0], (0, 2, "BAD_NUMBER", None), *behind[1:]]
    assert all(at.timestamp() * 1000 > before for (at,) in life.rows("parked", "parked_at")), "all are parked again"
    life.code.broken = False
    await life.start()
    await life.order("release", A, 0)
    await life.due()
    assert life.lists() == {b"a": (BUG, 2, 3), b"c": (1,)}


@lived
async def test_what_cannot_be_thrown_away_is_parked_again_and_not_kept_as_gone(life: Life) -> None:
    await life.start()
    await life.read(A, (b"a", b"%d" % BUG), alone=True)
    await life.read(A, (b"a", b"2"), (b"b", b"%d" % BAD))
    for place in (0, 2):
        await life.order("discard", A, place)
    await life.order("release", A, 1)
    assert await life.deaths(life.due) == 2
    assert life.rows("discarded", "offset") == [(2,)]
    assert life.rows("parked", f"{PARKED} discarded_at discarded_by") == [
        (0, 0, "CRASHED", None, None, None),
        (0, 1, "BEHIND_PARKED", None, None, None),
    ], "what was released behind it must not overtake it"
    life.code.broken = False
    await life.start()
    await life.order("discard", A, 0)
    await life.due()
    assert life.rows("discarded", "offset") == [(0,), (2,)]


@lived
async def test_a_replay_makes_the_same_store_of_such_turns(life: Life) -> None:
    await timers_set(life)
    await life.deaths(life.due)
    await life.order("release", A, -2)
    await life.deaths(life.due)
    await life.read(A, (b"b", b"%d" % BUG), (b"c", b"4"))
    await life.order("discard", A, -2)
    await life.deaths(life.due)
    assert [turn.due_limit for turn in life.turns() if turn.culprit] == [ALONE] * 3
    life.code.broken = False
    await life.start()
    await life.order("discard", A, -2)
    await life.due()
    await life.order("release", A, 3)
    await life.due()
    assert life.lists() == {b"a": (1, 2), b"b": (1, BUG), b"c": (1, 2, 4), b"d": (1, 2)}
    assert {turn.due_limit for turn in life.turns()} == {ALONE, NOTHING_DUE}
    assert content(await life.replayed()) == content(life.database)


@lived
async def test_only_suspected_lanes_are_taken_from_one_by_one_and_all_lanes_wait_for_that(life: Life) -> None:
    await timers_set(life)
    await life.start()
    life.held[A].attempts, life.held[B].attempts, life.held[ORDERS].attempts = 3, 0, 0
    life.held[A].stopped = True  # its timers fire all the same
    life.committer.due.claimed()
    await life.committer.apply([], due=True, alone=False)
    assert life.committer.due.alone
    assert life.lists() == {b"a": (1, 2), b"b": (1,), b"c": (1,), b"d": (1,)}
    assert [moved.lane for moved in life.turns()[-1].lanes] == [A]
    await life.due()
    assert life.lists() == {b"a": (1, 2), b"b": (1,), b"c": (1, 2), b"d": (1, 2)}


def test_after_a_turns_worth_of_harmless_ones_the_limit_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "DUE_LIMIT", 2)

    @lived
    async def story(life: Life) -> None:
        await life.start()
        at = life.now_ms + 10
        await life.read(A, *[(b"%d" % n, b"1 2@%d" % at) for n in range(9)])
        life.offset_ms += 20
        life.held[A].attempts = 3
        life.committer.due.claimed()
        assert await life.due() == 1 + 3 * 2
        assert [turn.due_limit for turn in life.turns()[1:]] == [ALONE] * 6 + [2]
        assert len(life.rows("timers", "key")) == 1

    story()


@lived
async def test_an_order_that_comes_between_the_death_and_the_parking_is_not_taken_for_the_culprit(life: Life) -> None:
    await timers_set(life)
    await life.start()
    other = Message(*A, -1, b"x", b"", (("timer", b"later"),), 0)
    for lanes in ([life.held[A]], [life.held[ORDERS]]):
        with pytest.raises(Overtaken):
            await life.committer.commit([], Look(lanes, ALONE), Culprit("trace", other))
    assert life.rows("parked", "offset") == []
    assert len(life.rows("timers", "key")) == 4


@lived
async def test_a_death_that_no_due_thing_is_guilty_of_parks_nothing(life: Life) -> None:
    await timers_set(life)
    await life.start()
    failures = [0]

    async def refresh(tx: Any) -> None:
        if failures[0]:
            failures[0] -= 1
            raise ZeroDivisionError("not their fault")

    object.__setattr__(life.committer._around.service, "refresh", refresh)
    life.held[A].attempts = 3
    life.committer.due.claimed()
    await life.committer.apply([], due=True, alone=False)
    failures[0] = 1  # and only once: what the turn before has taken must not be suspected either
    with pytest.raises(ZeroDivisionError, match="not their fault"):
        await life.committer.apply([], due=True, alone=False)
    assert life.rows("parked", "offset") == []


@lived
async def test_suspects_with_nothing_due_cost_one_look(life: Life) -> None:
    await life.start()
    life.held[A].attempts = 3
    life.committer.due.claimed()
    assert await life.due() == 2


@lived
async def test_a_look_names_only_lanes_with_something_to_take_or_to_write_down(life: Life) -> None:
    await life.start()
    await life.due()
    assert await life.committer.due.look() is None, "nothing was said since the claim"
    await life.read(A, (b"a", b"1 2@%d" % (life.now_ms + 60_000)))
    published = await life.committer.due.look()
    assert published is not None
    assert published.lanes == [life.held[A]], "what it has published is not in its row yet"
    await life.due()
    assert await life.committer.due.look() is None
    life.offset_ms += 60_000
    fires = await life.committer.due.look()
    assert fires is not None
    assert fires.lanes == [life.held[A]]


@lived
async def test_a_turn_that_reads_a_lane_in_which_something_came_due_after_the_look_replays(life: Life) -> None:
    await life.start()
    await life.due()
    at = life.now_ms + 60_000
    await life.read(A, (b"a", b"1 2@%d" % (at + 5_000)))
    await life.read(B, (b"b", b"1 2@%d" % at))
    await life.due()
    life.offset_ms += 60_000
    commit = life.committer.commit

    async def later(*turn: Any) -> None:
        life.offset_ms += 10_000
        await commit(*turn)

    life.committer.commit = later  # pyright: ignore[reportAttributeAccessIssue] - the clock goes on between both
    life.log[A].append(message := Message(*A, 1, b"c", b"1", (), life.now_ms))
    await life.committer.apply([(life.held[A], message)], due=True, alone=False)
    assert life.turns()[-1].due, "the timer of B has fired in the turn that read A"
    assert content(await life.replayed()) == content(life.database)


@lived
async def test_a_turn_of_one_takes_one_of_all_kinds(life: Life) -> None:
    await timers_set(life)
    await life.read(A, (b"x", b"%d" % BAD), (b"y", b"%d" % BAD))
    await life.order("discard", A, 3)
    await life.order("release", A, 4)
    life.code.broken = False
    await life.start()
    life.held[A].attempts = 3
    life.committer.due.claimed()
    before = len(life.turns())
    await life.due()
    assert [turn.due_limit for turn in life.turns()[before:]] == [ALONE] * 5 + [due.DUE_LIMIT]


@lived
async def test_a_message_that_ends_the_process_is_parked_and_not_what_is_due_in_its_turn(life: Life) -> None:
    await timers_set(life)
    culprit = Message(*B, 1, b"e", b"%d" % BUG, (), life.now_ms)
    del life.database.tables["timers"][(*A, "later", b"b")]  # the one that would end it as well
    await life.committer.apply([(life.held[B], culprit)], due=True, alone=True)
    assert life.rows("parked", PARKED) == [(1, 1, "CRASHED", None)]
    assert life.lists() == {b"a": (1, 2), b"b": (1,), b"c": (1, 2), b"d": (1, 2)}


def test_a_key_that_the_limit_cuts_through_waits_as_a_whole_when_its_first_is_parked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(due, "DUE_LIMIT", 2)

    @lived
    async def story(life: Life) -> None:
        await life.start()
        await life.read(A, *[(b"a", b"%d" % number) for number in (BAD, 1, 2, 3)], (b"b", b"%d" % BAD))
        await life.order("release", A, 0)
        await life.order("release", A, 4)
        await life.committer.apply([], due=True, alone=False)
        await life.committer.apply([], due=True, alone=False)
        codes = [
            (0, 0, "BAD_NUMBER", None),
            *((0, n, "BEHIND_PARKED", None) for n in (1, 2, 3)),
            (0, 4, "BAD_NUMBER", None),
        ]
        assert life.rows("parked", PARKED) == codes
        assert not life.committer.due.alone

    story()


async def test_timers_are_decided_oldest_first_and_those_of_one_moment_by_key_lane_and_kind() -> None:
    class Tx:
        async def fetch(self, query: str, *arguments: object) -> list[dict[str, Any]]:
            return rows

    due_at = [datetime(2017, 11, 24, 6, 0, second, tzinfo=UTC) for second in range(2)]
    right = [
        (0, b"z", "t", 0, "k"),
        (1, b"a", "s", 1, "k"),
        (1, b"a", "t", 0, "k"),
        (1, b"a", "t", 0, "l"),
        (1, b"b", "s", 0, "k"),
    ]
    names = ("due_at", "key", "topic", "partition", "kind", "body")
    rows = [dict(zip(names, (due_at[at], *rest, b""), strict=True)) for at, *rest in reversed(right)]
    tx: Any = Tx()
    taken = await timers.take(tx, [A, B], 0, 9)
    assert [(m.key, m.topic, m.partition, m.header("timer")) for m in taken] == [
        (key, topic, partition, kind.encode()) for _, key, topic, partition, kind in right
    ]
