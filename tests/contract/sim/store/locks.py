"""What transactions do to each other: who waits, what a statement finds when its wait is over, who is turned away."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from services.chassis import lanes, timers
from services.identity.store import locks as identity_locks
from services.ingestion.store import records
from services.sanctions.store import departments as sanctions_departments
from services.sanctions.store import loading as sanctions_loading
from tests.contract.sim.store.case import Store, at, begin, case, values
from tests.contract.sim.store.ingestion import record

CLAIM = lanes.CLAIM, ["t"], [0], [0]
MOVE = lanes.MOVE, ["t"], [0], [1], [-1], [5], [0]


async def lane(store: Store) -> None:
    """A lane with epoch 1 that was never read."""
    async with begin(store.pool) as tx:
        await tx.fetch(*CLAIM)


async def alone(store: Store, kind: str, *statement: Any) -> Any:
    """A statement in a transaction of its own."""
    async with begin(store.pool) as tx:
        return await getattr(tx, kind)(*statement)


class GivenUp(Exception):
    """The first transaction is rolled back."""


async def race(store: Store, first: tuple[Any, ...], second: tuple[Any, ...], well: bool = True) -> Any:
    """`first` holds what `second` waits for; then the first commits, or is rolled back, and the second goes on."""
    task: asyncio.Future[Any] | None = None
    try:
        async with begin(store.pool) as tx:
            await getattr(tx, first[0])(*first[1:])
            task = asyncio.ensure_future(alone(store, *second))
            await store.waits()
            assert not task.done()
            if not well:
                raise GivenUp
    except GivenUp:
        assert not well
    assert task is not None
    return await task


@case()
async def a_zombie_moves_nothing_when_its_lane_was_claimed_while_it_waited(store: Store) -> None:
    await lane(store)
    assert await race(store, ("fetch", *CLAIM), ("execute", *MOVE)) == "UPDATE 0"


@case()
async def it_moves_when_the_claim_was_rolled_back(store: Store) -> None:
    await lane(store)
    assert await race(store, ("fetch", *CLAIM), ("execute", *MOVE), well=False) == "UPDATE 1"


@case()
async def of_two_that_move_a_lane_the_second_moves_nothing(store: Store) -> None:
    await lane(store)
    assert await race(store, ("execute", *MOVE), ("execute", *MOVE)) == "UPDATE 0"


@case()
async def a_claim_waits_for_the_last_commit_and_finds_its_position(store: Store) -> None:
    await lane(store)
    speak = lanes.SPEAK, ["t"], [0], [9], ["{1}"], ["{4}"]
    rows = await race(store, ("execute", *speak), ("fetch", *CLAIM))
    assert values(rows) == [("t", 0, 2, -1, 9, 0, 0, [1], [4])]


@case()
async def of_two_that_claim_a_new_lane_the_second_has_the_higher_epoch(store: Store) -> None:
    assert values(await race(store, ("fetch", *CLAIM), ("fetch", *CLAIM)))[0][2] == 2


@case()
async def an_insert_waits_for_the_same_key_and_is_refused(store: Store) -> None:
    statement = records.NEW.statement, *([value] for value in record("1"))
    with pytest.raises(asyncpg.UniqueViolationError):
        await race(store, ("execute", *statement), ("execute", *statement))


@case()
async def an_insert_waits_for_the_same_key_and_goes_in_when_the_first_is_rolled_back(store: Store) -> None:
    statement = records.NEW.statement, *([value] for value in record("1"))
    assert await race(store, ("execute", *statement), ("execute", *statement), well=False) == "INSERT 0 1"


@case("sanctions")
async def an_insert_that_does_nothing_on_conflict_waits_to_know(store: Store) -> None:
    place = "execute", sanctions_loading.TAKE_PLACE, [b"p"]
    assert await race(store, place, place) == "INSERT 0 0"
    place = "execute", sanctions_loading.TAKE_PLACE, [b"q"]
    assert await race(store, place, place, well=False) == "INSERT 0 1"


@case()
async def of_two_that_take_a_timer_the_second_finds_none(store: Store) -> None:
    await alone(store, "execute", timers.SET, ["t"], [0], ["k"], [b"1"], [at(1)], [b""])
    take = "fetch", timers.TAKE, ["t"], [0], at(2), 9
    assert await race(store, take, take) == []
    await alone(store, "execute", timers.SET, ["t"], [0], ["k"], [b"1"], [at(1)], [b""])
    assert len(await race(store, take, take, well=False)) == 1


@case()
async def a_row_that_is_read_for_update_is_the_newest(store: Store) -> None:
    await alone(store, "execute", records.NEW.statement, *([value] for value in record("1")))
    change = records.CHANGE, *([value] for value in record("1", 2))
    load = records.LOAD, ["a"], ["i"], ["1"]
    assert (await race(store, ("execute", *change), ("fetch", *load)))[0]["version"] == 2
    assert await race(store, ("fetch", *load), ("execute", *change)) == "UPDATE 1"


@case("sanctions")
async def who_opens_tasks_does_not_wait_for_another_who_opens_some(store: Store) -> None:
    async with begin(store.pool) as one, begin(store.pool) as other:
        await one.execute(sanctions_departments.OPENING)
        await other.execute(sanctions_departments.OPENING)


@case("sanctions")
async def who_registers_waits_for_those_who_open_tasks_and_they_for_him(store: Store) -> None:
    opening, registering = ("execute", sanctions_departments.OPENING), ("execute", sanctions_departments.REGISTERING)
    assert await race(store, opening, registering) == "SELECT 1"
    assert await race(store, registering, opening) == "SELECT 1"
    assert await race(store, registering, registering, well=False) == "SELECT 1"


@case("identity")
async def who_changes_links_waits_for_those_who_make_some_and_they_for_him(store: Store) -> None:
    together, alone = ("execute", identity_locks.TOGETHER), ("execute", identity_locks.ALONE)
    assert await race(store, together, alone) == "SELECT 1"
    assert await race(store, alone, together) == "SELECT 1"
    assert await race(store, alone, alone, well=False) == "SELECT 1"
    async with begin(store.pool) as one, begin(store.hasty) as other:
        await one.execute(identity_locks.TOGETHER)
        await other.execute(identity_locks.TOGETHER)  # these do not wait for each other


@case()
async def a_wait_that_is_too_long_is_ended(store: Store) -> None:
    await lane(store)
    async with begin(store.pool) as one:
        await one.execute(*MOVE)
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with begin(store.hasty) as other:
                await other.execute(*MOVE)
    assert await store.rows("lanes", "next_offset") == [(5,)]


async def _crosswise(store: Store, mine: str, theirs: str, ready: asyncio.Event, go: asyncio.Event) -> str:
    def move(topic: str) -> tuple[Any, ...]:
        return lanes.MOVE, [topic], [0], [1], [-1], [5], [0]

    try:
        async with begin(store.pool) as tx:
            await tx.execute(*move(mine))
            ready.set()
            await go.wait()
            await tx.execute(*move(theirs))
    except asyncpg.DeadlockDetectedError:
        return "turned away"
    return "done"


@case()
async def of_two_that_wait_for_each_other_one_is_turned_away(store: Store) -> None:
    await alone(store, "fetch", lanes.CLAIM, ["s", "t"], [0, 0], [0, 0])
    first, second = asyncio.Event(), asyncio.Event()
    ends = await asyncio.gather(_crosswise(store, "s", "t", first, second), _crosswise(store, "t", "s", second, first))
    assert sorted(ends) == ["done", "turned away"]
    assert await store.rows("lanes", "next_offset") == [(5,), (5,)]
