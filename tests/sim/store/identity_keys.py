"""Identity's statements about persons' keys."""

from __future__ import annotations

from typing import Any

from services.identity.keys import store
from tests.sim.store.connection import new_rows
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, delete, insert_or, nothing, statement, update

WHOLE = {"wrapped": None, "kek_id": None}


@statement(store.MARK)
async def mark(tx: Tx) -> list[Row]:
    return [row.pick("kek_id") for _, row in tx.scan("kek")]


@statement(store.SET_MARK)
async def set_mark(tx: Tx, kek_id: str) -> str:
    return f"INSERT 0 {len(await insert_or(tx, 'kek', [(True, {'kek_id': kek_id})], nothing))}"


@statement(store.MOVE_MARK)
async def move_mark(tx: Tx, kek_id: str) -> str:
    def moved(old: Row, new: dict[str, Any]) -> dict[str, Any]:
        return {**old, **new}

    return f"INSERT 0 {len(await insert_or(tx, 'kek', [(True, {'kek_id': kek_id})], moved))}"


@statement(store.FIND)
async def find(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [tx.get("person_keys", one) for one in ids]
    return [row.pick("subject_id", "wrapped", "kek_id") for row in rows if row is not None]


@statement(store.MAKE)
async def make(tx: Tx, ids: list[bytes], wrapped: list[bytes], kek_id: str, at: int) -> str:
    await tx.lock("kek", True, shared=True)
    standing = tx.get("kek", True)
    if standing is None or standing["kek_id"] != kek_id:
        return "INSERT 0 0"
    rows = columns("subject_id wrapped", ids, wrapped)
    rows.sort(key=lambda row: row["subject_id"])
    made = [(row["subject_id"], {**row, "kek_id": kek_id, "made_at": at}) for row in rows]
    return f"INSERT 0 {len(await insert_or(tx, 'person_keys', made, nothing))}"


@statement(store.LEFT)
async def left(tx: Tx, kek_id: str, limit: int) -> list[Row]:
    rows = [row for _, row in tx.scan("person_keys") if row["kek_id"] not in (None, kek_id)]
    return [row.pick("subject_id", "wrapped", "kek_id") for row in rows[:limit]]


@statement(store.REWRAP)
async def rewrap(tx: Tx, ids: list[bytes], were: list[bytes], anew: list[bytes], kek_id: str) -> str:
    rows = columns("subject_id was wrapped", ids, were, anew)
    changes = {row["subject_id"]: {**row, "kek_id": kek_id} for row in rows}
    return await update(tx, "person_keys", changes, lambda old, new: old["wrapped"] == new["was"])


@statement(store.DESTROY)
async def destroy(tx: Tx, ids: list[bytes], moments: list[int]) -> str:
    rows = columns("subject_id made_at", ids, moments)
    rows.sort(key=lambda row: row["subject_id"])

    def destroyed(old: Row, new: dict[str, Any]) -> dict[str, Any]:
        return {**old, **new}

    gone = [(row["subject_id"], {**row, **WHOLE}) for row in rows]
    return f"INSERT 0 {len(await insert_or(tx, 'person_keys', gone, destroyed))}"


@statement(store.LEAVE)
async def leave(tx: Tx, ids: list[bytes]) -> str:
    rows = [row for _, row in tx.scan("relations") if row["person_id"] in ids]
    return f"DELETE {len(await delete(tx, 'relations', ['record_id', 'version'], rows))}"


@statement(store.ERASED)
async def erased(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [tx.get("erasures", one) for one in sorted(set(ids))]
    return [row for row in rows if row is not None]


@statement(store.ORGANISATIONS)
async def organisations(tx: Tx, ids: list[bytes]) -> list[Row]:
    rows = [tx.get("subjects", one) for one in sorted(set(ids))]
    return [row.pick("subject_id") for row in rows if row is not None and row["version"] > 0]


@statement(store.ROTATIONS)
async def rotations(tx: Tx) -> list[Row]:
    return [row.pick("kek_id") for _, row in sorted(tx.scan("key_rotations"))]


@statement(store.COUNTS)
async def counts(tx: Tx, kek_id: str, limit: int) -> list[Row]:
    others = [row for _, row in tx.scan("person_keys") if row["kek_id"] not in (None, kek_id)]
    return [Row(under_others=min(len(others), limit), erased=len(list(tx.scan("erasures"))))]


new_rows(store.NEW_ERASURES)
new_rows(store.NEW_ROTATIONS)
