"""The store's tables by month are opened when a month begins, also for a process that has held its lanes for long."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from services.chassis import lanes
from services.chassis.committing import Committer
from services.chassis.due import DUE_LIMIT, Look
from services.chassis.holding import Holding
from services.chassis.turn_size import TurnSize

NOVEMBER, DECEMBER = 1_795_000_000_000, 1_797_000_000_000


class Reached(Exception):
    """The turn moves its lanes: what comes before has come."""


class Tx:
    """Remembers what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def execute(self, query: str, *arguments: object) -> str:
        if query == lanes.MOVE:
            raise Reached
        self.asked.append(query)
        return ""


async def opened(committer: Committer, tx: Tx) -> list[str]:
    with pytest.raises(Reached):
        await committer.commit([], Look([], DUE_LIMIT), None)
    return [query.split()[5] for query in tx.asked if "outbox_" in query]


async def test_a_month_is_opened_when_it_begins() -> None:
    tx, now = Tx(), [NOVEMBER]

    @asynccontextmanager
    async def transaction() -> AsyncGenerator[Tx]:
        yield tx

    async def resolve(values: object) -> None: ...

    schemas, service = SimpleNamespace(resolve=resolve), SimpleNamespace(name="test", refresh=None)
    around: Any = SimpleNamespace(clock_ms=lambda: now[0], transaction=transaction, schemas=schemas, service=service)
    committer = Committer(around, Holding(None, None), TurnSize())
    committer._month = (2026, 11)
    assert await opened(committer, tx) == []
    now[0] = DECEMBER
    assert await opened(committer, tx) == ["outbox_2026_12", "outbox_2027_01", "outbox_2027_02"]
    assert committer._month == (2026, 11), "nothing was committed"
