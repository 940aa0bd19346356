"""Timers."""

from __future__ import annotations

from services.chassis import timers
from tests.contract.sim.store.case import Store, at, begin, case, unordered


@case()
async def a_timer_fires_once_when_it_is_due(store: Store) -> None:
    async with begin(store.pool) as tx:
        first = ["t", "t"], [0, 0], ["k", "k"], [b"1", b"2"], [at(1), at(9)], [b"one", b"two"]
        assert await tx.execute(timers.SET, *first) == "INSERT 0 2"
        assert await tx.fetch(timers.TAKE, ["t"], [0], at(0), 9) == []
        assert await tx.fetch(timers.TAKE, ["t", "s"], [1, 0], at(9), 9) == []
        due = await tx.fetch(timers.TAKE, ["t"], [0], at(1), 9)
        assert unordered(due) == [("t", 0, "k", b"1", b"one", at(1))]
        assert await tx.fetch(timers.TAKE, ["t"], [0], at(1), 9) == []
    assert await store.rows("timers", "key") == [(b"2",)]


@case()
async def a_timer_that_is_set_again_has_the_newer_time_and_body(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(timers.SET, ["t"], [0], ["k"], [b"1"], [at(1)], [b"one"])
        await tx.execute(timers.SET, ["t"], [0], ["k"], [b"1"], [at(5)], [b"new"])
        await tx.execute(timers.SET, ["t"], [0], ["other"], [b"1"], [at(1)], [b"other"])
    assert await store.rows("timers", "kind due_at body") == [("k", at(5), b"new"), ("other", at(1), b"other")]


@case()
async def lanes_with_something_due_are_told_once_each(store: Store) -> None:
    async with begin(store.pool) as tx:
        rows = [("t", 0, b"1", 1), ("t", 0, b"2", 1), ("t", 1, b"1", 9), ("s", 0, b"1", 1)]
        topics, partitions, keys, moments = map(list, zip(*rows, strict=True))
        await tx.execute(timers.SET, topics, partitions, ["k"] * 4, keys, [at(m) for m in moments], [b""] * 4)
        assert unordered(await tx.fetch(timers.WAITING, ["t", "t"], [0, 1], at(5))) == [("t", 0)]


@case()
async def the_oldest_timers_fire_first(store: Store) -> None:
    async with begin(store.pool) as tx:
        moments = [at(3), at(1), at(2)]
        await tx.execute(timers.SET, ["t"] * 3, [0] * 3, ["k"] * 3, [b"3", b"1", b"2"], moments, [b""] * 3)
        taken = await tx.fetch(timers.TAKE, ["t"], [0], at(9), 2)
        assert sorted(row["key"] for row in taken) == [b"1", b"2"]


@case()
async def of_timers_of_one_moment_the_key_decides_and_then_the_place_and_the_kind(store: Store) -> None:
    rows = [("t", 1, "k", b"1"), ("t", 0, "z", b"1"), ("s", 1, "k", b"2"), ("t", 0, "k", b"1"), ("s", 1, "k", b"1")]
    async with begin(store.pool) as tx:
        columns = map(list, zip(*rows, strict=True))
        await tx.execute(timers.SET, *columns, [at(1)] * 5, [b""] * 5)
        taken = [await tx.fetch(timers.TAKE, ["t", "t", "s"], [0, 1, 1], at(9), 1) for _ in rows]
    order = [tuple(row.values())[:4] for (row,) in taken]
    assert order == sorted(rows, key=lambda row: (row[3], *row[:3]))
