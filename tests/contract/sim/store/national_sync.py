"""Exchanges, answers and the gateway's look of national_sync."""

from __future__ import annotations

from typing import Any

import pytest

from services.chassis.errors import Transient
from services.national_sync import queries
from services.national_sync import store as statements
from tests.contract.sim.store.case import Store, at, begin, case, values


def exchange(record: bytes, version: int = 1, state: str = "PENDING", attempt: int = 1) -> tuple[Any, ...]:
    """A row of `exchanges` as it is loaded."""
    return record, version, "i", "put", state, attempt, 0, False


def linked(row: tuple[Any, ...], link_no: int = 0, nobodys: bool = False) -> tuple[Any, ...]:
    """The same with its link, as it is loaded."""
    return *row, link_no, nobodys


async def insert(tx: Any, *rows: tuple[Any, ...], said: bytes | None = b"said", second: int = 0) -> None:
    """Insert exchanges that wait since a second."""
    await statements.NEW.insert(tx, [(*row, said, at(second), at(second)) for row in rows])


async def update(tx: Any, *rows: tuple[Any, ...], said: bytes | None = b"new", second: int = 0) -> str:
    """Update exchanges."""
    arrays = [list(column) for column in zip(*rows, strict=True)]
    return str(await tx.execute(statements.UPDATE, *arrays, [said] * len(rows), [at(second)] * len(rows)))


@case("national_sync")
async def exchanges_are_loaded_in_the_order_asked_for(store: Store) -> None:
    async with begin(store.pool) as tx:
        await insert(tx, exchange(b"q"), exchange(b"p"))
        loaded = await tx.fetch(statements.LOAD, [b"q", b"p", b"x"])
        assert values(loaded) == [linked(exchange(b"q")), linked(exchange(b"p"))]


@case("national_sync")
async def a_link_that_changed_is_a_push_of_its_own_that_waits_anew(store: Store) -> None:
    async with begin(store.pool) as tx:
        await insert(tx, exchange(b"p"), exchange(b"q", 2), exchange(b"r", 0, "UNKNOWN", 0), said=None)
        changes = [b"p", b"r", b"x"], [14, 14, 14], [True, True, True], [at(5), at(6), at(7)]
        assert await tx.execute(statements.LINKS, *changes) == "UPDATE 2"
        assert values(await tx.fetch(statements.LOAD, [b"p", b"q", b"r"])) == [
            linked(exchange(b"p"), 14, True),
            linked(exchange(b"q", 2)),
            linked(exchange(b"r", 0, "UNKNOWN", 0), 14, True),
        ]
        assert values(await tx.fetch(queries.PENDING, 9, [])) == [
            (b"q", 2, 1, "i", "put", None),
            (b"p", 15, 1, "i", "put", None),
        ]
    assert await store.rows("exchanges", "record_id waiting_since") == [(b"p", at(5)), (b"q", at(0)), (b"r", at(6))]


@case("national_sync")
async def a_newer_version_waits_anew_and_an_attempt_does_not(store: Store) -> None:
    async with begin(store.pool) as tx:
        await insert(tx, exchange(b"p"), exchange(b"q"), exchange(b"r"))
        assert await update(tx, exchange(b"p", 2), exchange(b"x"), second=5) == "UPDATE 1"
        assert await update(tx, exchange(b"q", 1, "RETRYING", 2), said=None, second=6) == "UPDATE 1"
        assert await update(tx, exchange(b"r", 1, "ACKNOWLEDGED"), said=None, second=7) == "UPDATE 1"
    assert await store.rows("exchanges", "record_id version state submission waiting_since changed_at") == [
        (b"p", 2, "PENDING", b"new", at(5), at(5)),
        (b"q", 1, "RETRYING", b"said", at(0), at(6)),
        (b"r", 1, "ACKNOWLEDGED", None, at(0), at(7)),
    ]


@case("national_sync")
async def an_answer_is_kept_once(store: Store) -> None:
    async with begin(store.pool) as tx:
        answers = [b"p", b"p"], [1, 1], [1, 1], ["REFUSED", "REFUSED"], ["A", "B"], ["", ""], [at(0), at(1)]
        assert await tx.execute(statements.ANSWERS, *answers) == "INSERT 0 1"
        again = [b"p", b"p"], [1, 1], [1, 2], ["REFUSED", "REFUSED"], ["C", "D"], ["", ""], [at(2), at(3)]
        assert await tx.execute(statements.ANSWERS, *again) == "INSERT 0 1"
    assert await store.rows("answers", "attempt code answered_at") == [(1, "A", at(0)), (2, "D", at(3))]


@case("national_sync")
async def an_answer_that_is_new_is_refused_when_it_is_not(store: Store) -> None:
    first = b"p", 1, 1, "REFUSED", "A", "", at(0)
    async with begin(store.pool) as tx:
        await statements.NEW_ANSWERS.insert(tx, [first, (b"p", 1, 2, "REFUSED", "B", "", at(1))])
    with pytest.raises(Transient):
        async with begin(store.pool) as tx:
            await statements.NEW_ANSWERS.insert(tx, [first])
    assert await store.rows("answers", "attempt code answered_at") == [(1, "A", at(0)), (2, "B", at(1))]


@case("national_sync")
async def what_waits_longest_is_pushed_first(store: Store) -> None:
    async with begin(store.pool) as tx:
        await insert(tx, exchange(b"p"), second=3)
        await insert(tx, exchange(b"q", 2), exchange(b"r", 1, "ACKNOWLEDGED"), second=1)
        await insert(tx, exchange(b"s"), second=2)
        told = 1, "i", "put", b"said"
        assert values(await tx.fetch(queries.PENDING, 9, [])) == [(b"q", 2, *told), (b"s", 1, *told), (b"p", 1, *told)]
        assert values(await tx.fetch(queries.PENDING, 2, [])) == [(b"q", 2, *told), (b"s", 1, *told)]
        assert values(await tx.fetch(queries.PENDING, 2, [b"q", b"x"])) == [(b"s", 1, *told), (b"p", 1, *told)]


@case("national_sync")
async def the_age_of_the_oldest_is_a_number(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.fetchval(queries.OLDEST) == 0.0
        await insert(tx, exchange(b"r", 1, "ACKNOWLEDGED"))
        assert await tx.fetchval(queries.OLDEST) == 0.0
        await insert(tx, exchange(b"p", 1, "RETRYING"))
        assert isinstance(await tx.fetchval(queries.OLDEST), float)


@case("national_sync")
async def one_session_at_a_time_holds_the_gateways_lock(store: Store) -> None:
    async with store.pool.acquire() as one, store.pool.acquire() as other:
        assert await one.fetchval("SELECT pg_try_advisory_lock($1)", 7) is True
        assert await other.fetchval("SELECT pg_try_advisory_lock($1)", 7) is False
        assert await other.fetchval("SELECT pg_try_advisory_lock($1)", 8) is True
        await one.execute("SELECT pg_advisory_unlock($1)", 7)
        assert await other.fetchval("SELECT pg_try_advisory_lock($1)", 7) is True
        assert not other.is_closed()
    async with store.pool.acquire() as third:
        assert await third.fetchval("SELECT pg_try_advisory_lock($1)", 7) is True
