"""What the tables refuse."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from services.chassis import carrying_out, lanes, parking, timers
from services.disclosure.store import disclosed, reference
from services.identity.store import aliases, pepper, reviews, subjects
from services.ingestion.store import feeds, records
from services.national_sync import store as national_sync
from services.sanctions.store import departments as sanctions_departments
from services.sanctions.store import saving as sanctions_saving
from tests.contract.sim.store.case import Store, at, begin, case
from tests.contract.sim.store.disclosure import shown
from tests.contract.sim.store.identity import hold
from tests.contract.sim.store.ingestion import record
from tests.contract.sim.store.national_sync import exchange, insert
from tests.contract.sim.store.parking import order, park
from tests.contract.sim.store.sanctions import save, task

Error = type[asyncpg.PostgresError]
NULL, CHECK, REFERENCE = (
    asyncpg.NotNullViolationError,
    asyncpg.CheckViolationError,
    asyncpg.ForeignKeyViolationError,
)


async def refused(store: Store, error: Error, statement: str, *arguments: Any) -> None:
    """In a transaction of its own."""
    with pytest.raises(error):
        async with begin(store.pool) as tx:
            await tx.execute(statement, *arguments)


def arrays(*row: Any) -> list[list[Any]]:
    """One row as the columns that `unnest` takes."""
    return [[value] for value in row]


@case()
async def the_chassis_tables_refuse(store: Store) -> None:
    await refused(store, NULL, parking.PUT, "t", 0, 1, None, b"v", "[]", at(0), "CODE", "why", at(1))
    await refused(store, NULL, timers.SET, ["t"], [0], ["k"], [b"1"], [at(0)], [None])
    await refused(store, NULL, lanes.CLAIM, [None], [0], [0])
    await refused(store, CHECK, carrying_out.ENTER, "c", "forget", "operator", "why", 1, at(2))
    async with begin(store.pool) as tx:
        await park(tx, (1, b"a"))
        await order(tx, "c", "discard")
    await refused(store, REFERENCE, carrying_out.DISCARD, ["t"], [0], [1], at(3), "another")
    await refused(store, asyncpg.UniqueViolationError, carrying_out.ENTER, "c", "discard", "operator", "why", 1, at(2))


@case()
async def ingestions_tables_refuse(store: Store) -> None:
    await refused(store, NULL, records.NEW.statement, *arrays(*record("1")[:9], None, b"", b"", b""))
    async with begin(store.pool) as tx:
        await tx.execute(records.NEW.statement, *arrays(*record("1")))
    await refused(store, NULL, records.REMEMBER, ["a"], ["i"], ["1"], [None])
    await refused(store, NULL, feeds.ADD, *arrays(7, "a", "i", 0, 1, 0, 0, 0, 0, None, 60, None))


@case("identity")
async def identitys_tables_refuse(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(pepper.SET_MARK, b"m" * 16)
    await refused(store, asyncpg.UniqueViolationError, pepper.SET_MARK, b"n" * 16)
    async with begin(store.pool) as tx:
        await tx.execute(subjects.PLACE_SUBJECTS, [b"S"])
        await hold(tx, (b"r", 1, None))
    await refused(store, CHECK, subjects.SAVE_SUBJECTS, *arrays(b"S", "person", None, 0, 0, "[]", None))
    await refused(store, CHECK, reviews.SETTLE, *arrays(b"r", 1, "FORGOTTEN", at(0)))
    await refused(store, NULL, aliases.PLACE_ALIASES, [b"a"], [None])


@case("disclosure")
async def disclosures_tables_refuse(store: Store) -> None:
    public_alone = (*shown(b"r")[:3], True, False, *shown(b"r")[5:])
    await refused(store, CHECK, disclosed.NEW_SHOWN.statement, *arrays(*public_alone))
    nobody = (*shown(b"r")[:3], False, False, *shown(b"r")[5:])
    await refused(store, CHECK, disclosed.NEW_SHOWN.statement, *arrays(*nobody))
    await refused(store, NULL, disclosed.NEW_SHOWN.statement, *arrays(*shown(b"r")[:13], None, 6))
    await refused(store, CHECK, reference.CARD_UPSERT, *arrays(b"S", 1, "person", None, "", "", None, 5))


@case("sanctions")
async def the_tables_of_sanctions_refuse(store: Store) -> None:
    async with begin(store.pool) as tx:
        await save(tx, task("t-1", b"p", "d"))
        await tx.execute(sanctions_departments.SAVE_DEPARTMENTS, ["d"])
    await refused(store, REFERENCE, sanctions_saving.SAVE_TASKS, *arrays(*task("t-2", b"x", "d")))
    await refused(store, CHECK, sanctions_saving.SAVE_TASKS, *arrays(*task("t-1", b"p", "d", "FORGOTTEN")))
    await refused(store, REFERENCE, sanctions_saving.SAVE_ANSWERS, *arrays("t-9", "f", "", "[]", at(0), None))
    await refused(
        store, CHECK, sanctions_saving.SAVE_LISTINGS, *arrays(b"p", 1, "GONE", "", None, None, None, 0, False)
    )
    await refused(store, asyncpg.UniqueViolationError, sanctions_departments.SAVE_DEPARTMENTS, ["c", "d"])
    async with begin(store.pool) as tx:
        await tx.execute(sanctions_saving.SAVE_ANSWERS, *arrays("t-1", "f", "", "[]", at(0), 1))
    await refused(
        store, asyncpg.UniqueViolationError, sanctions_saving.SAVE_ANSWERS, *arrays("t-1", "f", "", "[]", at(0), 1)
    )


@case("national_sync")
async def the_tables_of_national_sync_refuse(store: Store) -> None:
    with pytest.raises(CHECK):
        async with begin(store.pool) as tx:
            await insert(tx, exchange(b"p", 1, "FORGOTTEN"))
    with pytest.raises(asyncpg.UniqueViolationError):
        async with begin(store.pool) as tx:
            await insert(tx, exchange(b"p"))
            await tx.execute(national_sync.NEW.statement, *arrays(*exchange(b"p"), b"", at(0), at(0)))
    answer = arrays(b"p", 1, 1, "REFUSED", None, "", at(0))
    await refused(store, NULL, national_sync.ANSWERS, *answer)
