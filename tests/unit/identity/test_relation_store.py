"""What relations cost a batch: nothing where no record says anything of an office."""

from __future__ import annotations

import contextvars
import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from services.identity import store
from services.identity.domain import cluster as clusters
from services.identity.domain.deciding import decide
from services.identity.domain.events import Event
from services.identity.domain.records import RecordSeen
from services.identity.store import relations
from tests.contract.sim.store.case import begin
from tests.sim.store import REGISTERED as REGISTERED
from tests.sim.store import connection
from tests.sim.store.connection import Pool
from tests.sim.store.engine import Database
from tests.sim.store.statements import normal
from tests.sim.troubles import Troubles
from tests.sim.virtual import VirtualLoop
from tests.unit.identity.samples import entry, record, registration

NAMES = {normal(relations.OPEN): "OPEN", normal(relations.BEGIN): "BEGIN", normal(relations.END): "END"}


@contextmanager
def heard() -> Generator[list[str]]:
    """The statements that are run meanwhile."""
    run: Any = connection.run
    asked: list[str] = []

    async def listening(tx: Any, sql: str, arguments: tuple[Any, ...]) -> Any:
        asked.append(normal(sql))
        return await run(tx, sql, arguments)

    connection.run = listening
    try:
        yield asked
    finally:
        connection.run = run


async def batch(pool: Any, given: Sequence[RecordSeen]) -> list[str]:
    """Load, decide and save as a batch does; which statements of relations that took."""
    with heard() as asked:
        async with begin(pool) as tx:
            cluster_of, before = await store.load(tx, given, (), _none_held)
            after = dict(before)
            events: list[tuple[bytes, Event]] = []
            for one in given:
                key = cluster_of[one.record_id]
                for event in decide(after.get(key, clusters.EMPTY), one):
                    after[key] = clusters.evolve(after.get(key, clusters.EMPTY), event)
                    events.append((key, event))
            await store.save(tx, before, after, events)
    return [NAMES.get(sql, sql) for sql in asked if "relations" in sql]


async def _none_held(bodies: Sequence[bytes]) -> Sequence[RecordSeen]:
    return [] if not bodies else pytest.fail("nothing waits here")


MANY = [entry(number=number) for number in range(10, 40)]
BATCHES: list[tuple[str, list[tuple[Sequence[RecordSeen], list[str]]]]] = [
    ("no record of an office", [([record(), registration(number=2)], []), ([record(version=2, action="correct")], [])]),
    ("many new ones", [(MANY, ["BEGIN"])]),
    ("one that names nobody", [([entry(None)], []), ([entry(None, version=2, action="correct")], ["OPEN"])]),
    (
        "corrected and withdrawn",
        [
            ([entry()], ["BEGIN"]),
            ([record(number=5), entry("演示别人", version=2, action="correct")], ["OPEN", "BEGIN", "END"]),
            ([entry(None, version=3, action="withdraw")], ["OPEN", "END"]),
        ],
    ),
    ("all in one batch", [([entry(), entry(None, version=2, action="withdraw")], ["BEGIN", "END"])]),
]


@pytest.mark.parametrize("turns", [turns for _, turns in BATCHES], ids=[name for name, _ in BATCHES])
def test_a_batch_asks_and_writes_only_what_its_records_say(
    turns: list[tuple[Sequence[RecordSeen], list[str]]],
) -> None:
    loop = VirtualLoop()
    pool: Any = Pool(Database("identity", loop), Troubles(random.Random(1), contextvars.copy_context()))

    async def run() -> None:
        for given, wanted in turns:
            assert await batch(pool, given) == wanted

    try:
        loop.run(run())
    finally:
        loop.close()
