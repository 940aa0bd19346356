"""What a transaction promises: all or nothing, what others see of it, and what an error does to it."""

from __future__ import annotations

import asyncpg
import pytest

from services.chassis import breaker, lanes, parking, timers
from services.chassis.bulk import columns
from services.ingestion.store import records
from tests.contract.sim.store.case import Store, at, begin, case
from tests.contract.sim.store.ingestion import record

COUNT = "SELECT count(*) FROM parked"
PARKED = "t", 0, 1, b"k", b"v", "[]", at(0), "CODE", "why", at(1)


@case()
async def what_is_rolled_back_has_never_been(store: Store) -> None:
    with pytest.raises(KeyError):
        async with begin(store.pool) as tx:
            await tx.execute(parking.PUT, *PARKED)
            assert await tx.fetchval(COUNT) == 1  # it sees its own
            raise KeyError
    async with begin(store.pool) as tx:
        assert await tx.fetchval(COUNT) == 0


@case()
async def what_another_commits_is_seen_by_the_next_statement(store: Store) -> None:
    async with begin(store.pool) as one, store.pool.acquire() as connection:
        assert await one.fetchval(COUNT) == 0
        async with connection.transaction():
            await connection.execute(parking.PUT, *PARKED)
            assert await one.fetchval(COUNT) == 0
        assert await one.fetchval(COUNT) == 1


@case()
async def after_an_error_a_transaction_takes_no_statement(store: Store) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        async with begin(store.pool) as tx:
            await tx.execute(parking.PUT, *PARKED)
            with pytest.raises(asyncpg.UniqueViolationError):
                await tx.execute(parking.PUT, *PARKED)
            with pytest.raises(asyncpg.InFailedSQLTransactionError):
                await tx.fetchval(COUNT)
            raise asyncpg.UniqueViolationError
    async with begin(store.pool) as tx:
        assert await tx.fetchval(COUNT) == 0


@case()
async def an_error_that_was_swallowed_still_rolls_back(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(parking.PUT, *PARKED)
        with pytest.raises(asyncpg.UniqueViolationError):
            await tx.execute(parking.PUT, *PARKED)
    async with begin(store.pool) as tx:
        assert await tx.fetchval(COUNT) == 0


@case()
async def a_copy_takes_all_rows_or_none(store: Store) -> None:
    names = records.COLUMNS
    async with begin(store.pool) as tx:
        await tx.copy_records_to_table("records", records=[record("1"), record("2")], columns=names)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with begin(store.pool) as tx:
            await tx.copy_records_to_table("records", records=[record("3"), record("2")], columns=names)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with begin(store.pool) as tx:
            await tx.copy_records_to_table("records", records=[record("4"), record("4")], columns=names)
    assert await store.rows("records", "record_no") == [("1",), ("2",)]


@case()
async def an_insert_refuses_a_key_twice_in_one_statement(store: Store) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        async with begin(store.pool) as tx:
            await tx.execute(records.NEW.statement, *columns([record("1"), record("1")]))
    assert await store.rows("records", "record_no") == []


@case()
async def an_upsert_refuses_to_touch_a_row_twice(store: Store) -> None:
    with pytest.raises(asyncpg.CardinalityViolationError):
        async with begin(store.pool) as tx:
            same = ["t", "t"], [0, 0], ["k", "k"], [b"1", b"1"], [at(1), at(2)], [b"", b""]
            await tx.execute(timers.SET, *same)
    with pytest.raises(asyncpg.CardinalityViolationError):
        async with begin(store.pool) as tx:
            await tx.fetch(lanes.CLAIM, ["t", "t"], [0, 0], [0, 0])
    assert await store.rows("timers", "key") == []


@case()
async def an_insert_that_does_nothing_on_conflict_takes_the_first(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(breaker.STOP, ["t", "t"], [0, 0], at(1)) == "INSERT 0 1"
