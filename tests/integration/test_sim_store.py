"""The contract of the simulator's store, asked of PostgreSQL; `tests/contract/sim/test_store.py` asks the fake."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local import passwords, postgres
from deploy.local.layout import REPO, SERVICES, Layout
from services.chassis.migrations import read_folder
from tests.contract.sim.store import CASES
from tests.contract.sim.store.case import Case
from tests.sim.store.constraints import NULLABLE
from tests.support.stack import Stack

pytestmark = pytest.mark.stack

ROOTS = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
  AND NOT relispartition AND relname <> ALL($1)
"""
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class RealStore:
    """A service's tables, emptied; `hasty` waits for a lock for a fifth of a second."""

    def __init__(self, pool: Any, hasty: Any) -> None:
        self.pool, self.hasty = pool, hasty

    async def rows(self, table: str, names: str) -> list[tuple[Any, ...]]:
        """As `Store` has it."""
        columns = ", ".join(f'"{name}"' for name in names.split())
        async with self.pool.acquire() as connection:
            return sorted((tuple(row) for row in await connection.fetch(f"SELECT {columns} FROM {table}")), key=repr)

    async def waits(self) -> None:
        """As `Store` has it."""
        async with self.pool.acquire() as connection:
            async with asyncio.timeout(30):
                while not await connection.fetchval(WAITING):  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.01)

    async def empty(self) -> None:
        """As it was after the migrations."""
        async with self.pool.acquire() as connection:
            kept = ["migrations", "incarnation", "reference_revision", "catalogue_revision", "link_number"]
            tables = [row["relname"] for row in await connection.fetch(ROOTS, kept)]
            await connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
            for table in ("reference_revision", "catalogue_revision", "link_number"):
                if await connection.fetchval("SELECT to_regclass($1)", table):
                    await connection.execute(f"UPDATE {table} SET number = 0")


def address(layout: Layout, service: str) -> dict[str, Any]:
    """How a service's role reaches its contract database."""
    dsn = layout.database(service) + "_contract"
    return {"dsn": dsn, "password": passwords.password(layout.secrets, service)}


@pytest.fixture(scope="module")
def layout(stack: Stack) -> Iterator[Layout]:
    """A database of its own for each service's contract."""
    for service in SERVICES:
        postgres.make_empty(stack.layout, service, f"{service}_contract")
        asyncio.run(_migrated(stack.layout, service))
    yield stack.layout
    for service in SERVICES:
        postgres.drop(stack.layout, f"{service}_contract")


async def _migrated(layout: Layout, service: str) -> None:
    connection = await asyncpg.connect(**address(layout, service))
    try:
        for folder in ("chassis", service):
            for migration in read_folder(Path(REPO) / "services" / folder / "migrations"):
                async with connection.transaction():
                    await connection.execute(migration.sql)
    finally:
        await connection.close()


async def _check(layout: Layout, case: Case) -> None:
    server = {"timezone": "UTC", "idle_in_transaction_session_timeout": "30000"}
    where: Any = address(layout, case.service) | {"min_size": 0, "max_size": 4}
    patient = server | {"lock_timeout": "30000", "application_name": case.name[:60]}
    async with (
        asyncpg.create_pool(**where, server_settings=patient) as pool,
        asyncpg.create_pool(**where, server_settings=server | {"lock_timeout": "200"}) as hasty,
    ):
        store = RealStore(pool, hasty)
        await store.empty()
        await case.check(store)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_postgresql_keeps_the_contract(layout: Layout, case: Case) -> None:
    asyncio.run(_check(layout, case))


NULLS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND is_nullable = 'YES' AND table_name <> 'audit' AND table_name IN (
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND NOT relispartition)
"""


def test_the_fake_knows_which_columns_may_be_null(layout: Layout) -> None:
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for table, column in asyncio.run(_nulls(layout, service)):
            found.setdefault(table, set()).add(column)
    assert found == {table: set(columns) for table, columns in NULLABLE.items()}


async def _nulls(layout: Layout, service: str) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(**address(layout, service))
    try:
        return [(row["table_name"], row["column_name"]) for row in await connection.fetch(NULLS)]
    finally:
        await connection.close()
