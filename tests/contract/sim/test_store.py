"""The fake store keeps the contract; `tests/integration/test_sim_store.py` asks the same of PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.sim import store
from tests.contract.sim.store import fakes
from tests.contract.sim.store.case import CASES, Case
from tests.sim.store import connection
from tests.sim.store.statements import known, normal

assert store.ROOMS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fake_store_keeps_the_contract(case: Case) -> None:
    fakes.run(case)


def test_every_statement_that_the_fake_knows_is_in_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    run = connection.run

    async def listening(tx: Any, sql: str, arguments: tuple[Any, ...]) -> Any:
        asked.add(normal(sql))
        return await run(tx, sql, arguments)

    monkeypatch.setattr(connection, "run", listening)
    for case in CASES:
        fakes.run(case)
    assert set(known()) - asked == set()
