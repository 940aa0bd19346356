"""The fake store keeps the contract; `tests/integration/test_sim_store.py` asks the same of PostgreSQL."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

from tests.contract.sim.store import CASES, fakes
from tests.contract.sim.store.case import Case
from tests.sim.store import connection, engine
from tests.sim.store.statements import Function, find, known, normal, replaced

# They change nothing that a single client could see: a plan's settings, the end of a frozen neighbour, turns taken.
SILENT = ("SET LOCAL", "SELECT pg_terminate_backend", "SELECT pg_advisory_xact_lock(hashtext", "SELECT pg_advisory_")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fake_store_keeps_the_contract(case: Case) -> None:
    fakes.run(case)


@contextmanager
def heard(asked: set[str]) -> Generator[None]:
    """Which statements are run meanwhile."""
    run: Any = connection.run

    async def listening(tx: Any, sql: str, arguments: tuple[Any, ...]) -> Any:
        asked.add(normal(sql))
        return await run(tx, sql, arguments)

    connection.run = listening
    try:
        yield
    finally:
        connection.run = run


@cache
def users() -> dict[str, list[Case]]:
    """The cases that use a statement."""
    found: dict[str, list[Case]] = defaultdict(list)
    for case in CASES:
        asked: set[str] = set()
        with heard(asked):
            fakes.run(case)
        for sql in asked:
            found[sql].append(case)
    return found


@pytest.mark.parametrize("sql", known(), ids=lambda sql: sql[:60])
def test_every_statement_of_the_fake_is_in_the_contract(sql: str) -> None:
    assert users()[sql]


def fails(case: Case) -> bool:
    """Whether a planted fault is seen by a case."""
    try:
        fakes.run(case)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever it breaks on, it is seen
        return True
    return False


def spoilt(function: Function) -> Function:
    """The right tag but nothing written, or one row too few."""

    async def plant(tx: Any, *arguments: Any) -> Any:
        before = copy.deepcopy(tx.written)
        answer = await function(tx, *arguments)
        tx.written = before
        return answer if isinstance(answer, str) else answer[:-1]

    return plant


@pytest.mark.parametrize("sql", [sql for sql in known() if not sql.startswith(SILENT)], ids=lambda sql: sql[:60])
def test_a_statement_that_does_not_do_its_work_is_seen(sql: str) -> None:
    with replaced(sql, spoilt(find(sql)[0])):
        assert any(map(fails, users()[sql]))


async def _no_wait(tx: Any, table: str, key: Any, shared: bool = False) -> None:
    tx._held.add((table, key))
    tx.database.locks.setdefault((table, key), {})[tx] = shared


def _anything(tx: Any, table: str, row: Any) -> None:
    """Every row is taken."""


def _nothing_lost(tx: Any) -> None:
    tx.commit()


def _own_unseen(tx: Any, table: str, key: Any) -> Any:
    return tx.database.tables[table].get(key)


def _replaced(old: Any, new: Any) -> Any:
    return new


PLANTS: list[tuple[str, Any, str, Callable[..., Any]]] = [
    ("nobody waits for a lock", engine.Tx, "lock", _no_wait),
    ("no constraint", engine, "check", _anything),
    ("a rollback that commits", engine.Tx, "abort", _nothing_lost),
    ("a transaction that sees nothing of its own", engine.Tx, "get", _own_unseen),
    ("an insert that replaces", connection, "refuse", _replaced),
]


@pytest.mark.parametrize(("where", "name", "part"), [plant[1:] for plant in PLANTS], ids=[p[0] for p in PLANTS])
def test_a_fault_of_the_engine_is_seen(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, part: Any) -> None:
    monkeypatch.setattr(where, name, part)
    assert any(map(fails, CASES))
