"""Listings, tasks, answers and departments of sanctions."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.sanctions.store import departments, loading, saving
from tests.contract.sim.store.case import Store, at, begin, case, unordered, values

DUE = date(2017, 12, 1)


def task(
    task_id: str, record: bytes, department: str, status: str = "OPENED", told: bool = False, version: int = 1
) -> tuple[Any, ...]:
    """A row of `tasks` as it is saved."""
    said = "memo", "m", "text", "art", department, b"S", None, "演示", DUE, status
    return task_id, record, *said, told, at(0), version


async def save(tx: Any, *tasks: tuple[Any, ...]) -> str:
    """Save tasks, their listings first."""
    await tx.execute(loading.TAKE_PLACE, sorted({task[1] for task in tasks}))
    return str(await tx.execute(saving.SAVE_TASKS, *map(list, zip(*tasks, strict=True))))


@case("sanctions")
async def listings_are_placed_locked_and_saved(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(loading.TAKE_PLACE, [b"q", b"p", b"q"]) == "INSERT 0 2"
        assert await tx.execute(loading.TAKE_PLACE, [b"p"]) == "INSERT 0 0"
        saved = [b"p", b"x"], [3, 1], ["LISTED", "LISTED"], ["memo", ""], [b"S", None], ["1", None], ["演示", None]
        saved = (*saved, [7, 0], [True, False])
        assert await tx.execute(saving.SAVE_LISTINGS, *saved) == "UPDATE 1"
        assert values(await tx.fetch(loading.LISTINGS, [b"q", b"p", b"x"])) == [
            (b"p", 3, "LISTED", "memo", b"S", "1", "演示", 7, True),
            (b"q", 0, "UNKNOWN", "", None, None, None, 0, False),
        ]


@case("sanctions")
async def tasks_are_found_by_record_and_by_id(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await save(tx, task("t-2", b"p", "d"), task("t-1", b"p", "d"), task("t-3", b"q", "e")) == "INSERT 0 3"
        found = await tx.fetch(loading.TASKS, [b"p", b"x"])
        assert [row["task_id"] for row in found] == ["t-1", "t-2"]
        assert tuple(found[0]) == (*task("t-1", b"p", "d")[:12], 1)
        assert unordered(await tx.fetch(loading.FIND, ["t-3", "t-1", "t-9"])) == [("t-1", b"p"), ("t-3", b"q")]


@case("sanctions")
async def a_task_that_is_saved_again_keeps_whose_it_is_and_that_it_was_told(store: Store) -> None:
    async with begin(store.pool) as tx:
        await save(tx, task("t-1", b"p", "d", told=True), task("t-2", b"p", "d"))
        closed = task("t-1", b"q", "e", "CLOSED", version=2)
        assert await save(tx, closed, task("t-2", b"p", "d", told=True)) == "INSERT 0 2"
    assert await store.rows("tasks", "task_id record_id department status told version") == [
        ("t-1", b"p", "d", "CLOSED", True, 2),
        ("t-2", b"p", "d", "OPENED", True, 1),
    ]


@case("sanctions")
async def what_a_new_department_is_still_to_be_told(store: Store) -> None:
    async with begin(store.pool) as tx:
        await save(
            tx,
            task("t-2", b"p", "d"),
            task("t-1", b"q", "d"),
            task("t-3", b"p", "d", "LIFTED"),
            task("t-4", b"p", "d", told=True),
            task("t-5", b"p", "e"),
        )
        assert [row["task_id"] for row in await tx.fetch(departments.UNTOLD, ["d", "x"])] == ["t-1", "t-2"]
        assert await tx.execute(departments.SAVE_DEPARTMENTS, ["d", "c"]) == "INSERT 0 2"
        assert unordered(await tx.fetch(departments.KNOWN)) == [("c",), ("d",)]
        assert await tx.execute(departments.SAVE_TOLD, ["d"]) == "UPDATE 3"
        assert await tx.execute(departments.SAVE_TOLD, ["d"]) == "UPDATE 0"
        assert await tx.fetch(departments.UNTOLD, ["d"]) == []


@case("sanctions")
async def answers_are_found_by_the_record_of_their_task(store: Store) -> None:
    async with begin(store.pool) as tx:
        await save(tx, task("t-1", b"p", "d"), task("t-2", b"q", "d"))
        saved = ["t-1", "t-2"], ["f-1", "f-1"], ["CLOSED", ""], ['[{"code":"演示"}]', "[]"], [at(1), at(2)], [2, None]
        assert await tx.execute(saving.SAVE_ANSWERS, *saved) == "INSERT 0 2"
        found = await tx.fetch(loading.ANSWERS, [b"p", b"x"])
        assert values(found) == [(b"p", "t-1", "f-1", "CLOSED", '[{"code": "演示"}]', at(1), 2)]
