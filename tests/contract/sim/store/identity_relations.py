"""Relations of identity: what records say of offices."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from services.identity.keys import store as keys
from services.identity.store import relations
from tests.contract.sim.store.case import Store, begin, case, values

P = b"p" * 16
ENDS = "record_id version name_digest person_id ended_as ended_by ended_at"


def said(record: bytes, version: int = 1, digest: bytes | None = b"d", person: bytes | None = None) -> tuple[Any, ...]:
    """One row, as `BEGIN` takes it and `OPEN` gives it."""
    return record, version, b"S", "HEAD", digest, person, 5, "i", "a"


async def begun(tx: Any, *rows: tuple[Any, ...]) -> str:
    return str(await tx.execute(relations.BEGIN, *(list(column) for column in zip(*rows, strict=True))))


@case("identity")
async def relations_begin_and_end(store: Store) -> None:
    async with begin(store.pool) as tx:
        rows = said(b"q"), said(b"r"), said(b"s", 2, None, P)
        assert await begun(tx, *rows) == "INSERT 0 3"
        assert values(await tx.fetch(relations.OPEN, [b"s", b"q", b"x"])) == [rows[0], rows[2]]
        ends = [b"q", b"s", b"x"], [1, 2, 1], ["CORRECTED", "UNLINKED", "CORRECTED"], [2, None, 2], [7, 8, 9]
        assert await tx.execute(relations.END, *ends) == "UPDATE 2"
        assert values(await tx.fetch(relations.OPEN, [b"s", b"q", b"r"])) == [rows[1]]
    assert await store.rows("relations", ENDS) == [
        (b"q", 1, b"d", None, "CORRECTED", 2, 7),
        (b"r", 1, b"d", None, None, None, None),
        (b"s", 2, None, None, "UNLINKED", None, 8),  # what was taken back says nothing of anybody
    ]


@case("identity")
async def a_relation_begins_again(store: Store) -> None:
    async with begin(store.pool) as tx:
        await begun(tx, said(b"r"))
        await tx.execute(relations.END, [b"r"], [1], ["WITHDRAWN"], [2], [7])
        assert await begun(tx, said(b"r", 1, b"e")) == "INSERT 0 1"
    assert await store.rows("relations", ENDS) == [(b"r", 1, b"e", None, None, None, None)]


@case("identity")
async def of_an_erased_person_no_office_is_kept(store: Store) -> None:
    async with begin(store.pool) as tx:
        await begun(tx, said(b"q"), said(b"r", 1, None, P))
        await keys.NEW_ERASURES.insert(tx, [(P, "c", "operator", "why", 9)])
        assert await tx.execute(keys.LEAVE, [P]) == "DELETE 1"
        assert await begun(tx, said(b"s", 1, None, P), said(b"t")) == "INSERT 0 1"
    assert [row[0] for row in await store.rows("relations", ENDS)] == [b"q", b"t"]


@case("identity")
async def a_relation_is_somebodys_and_has_a_role(store: Store) -> None:
    wrong = said(b"r", 1, None, None), said(b"r", 1, b"d", P), (*said(b"r")[:3], "GUEST", *said(b"r")[4:])
    for row in wrong:
        with pytest.raises(asyncpg.CheckViolationError):
            async with begin(store.pool) as tx:
                await begun(tx, row)
