"""The statements of national_sync: exchanges, answers, the gateway's look."""

from __future__ import annotations

from typing import Any

from services.national_sync import queries, store
from tests.sim.store.connection import new_rows
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, insert_or, nothing, statement
from tests.sim.virtual import START_MS

EXCHANGE = "record_id version item action state attempt held_version held"
LINK = "link_no nobodys"


@statement(store.LOAD)
async def load(tx: Tx, ids: list[bytes]) -> list[Row]:
    found: list[Row] = []
    for one in ids:
        if tx.get("exchanges", one) is not None:
            await tx.lock("exchanges", one)
            found.append((tx.get("exchanges", one) or Row()).pick(*EXCHANGE.split(), *LINK.split()))
    return found


new_rows(store.NEW)
new_rows(store.NEW_ANSWERS)


@statement(store.UPDATE)
async def change(tx: Tx, *arrays: list[Any]) -> str:
    count = 0
    for row in columns(EXCHANGE + " submission at", *arrays):
        await tx.lock("exchanges", row["record_id"])
        old = tx.get("exchanges", row["record_id"])
        if old is None:
            continue
        at = row.pop("at")
        kept = old["submission"] if row["submission"] is None else row["submission"]
        row["submission"] = kept if row["state"] in ("PENDING", "RETRYING") else None
        row["waiting_since"] = at if row["version"] > old["version"] else old["waiting_since"]
        tx.put("exchanges", row["record_id"], {**old, **row, "changed_at": at})
        count += 1
    return f"UPDATE {count}"


@statement(store.LINKS)
async def change_links(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id link_no nobodys waiting_since", *arrays)
    known = [row for row in rows if tx.get("exchanges", row["record_id"]) is not None]
    for row in known:
        await tx.lock("exchanges", row["record_id"])
        tx.put("exchanges", row["record_id"], {**(tx.get("exchanges", row["record_id"]) or {}), **row})
    return f"UPDATE {len(known)}"


@statement(store.ANSWERS)
async def save_answers(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("record_id version attempt verdict code text answered_at", *arrays)
    new = [((r["record_id"], r["version"], r["attempt"], r["verdict"]), r) for r in rows]
    return f"INSERT 0 {len(await insert_or(tx, 'answers', new, nothing))}"


@statement(queries.PENDING)
async def pending(tx: Tx, limit: int, told: list[bytes]) -> list[Row]:
    rows = [row for one, row in tx.scan("exchanges") if row["state"] == "PENDING" and one not in told]
    rows.sort(key=lambda row: (row["waiting_since"], row["record_id"]))
    return [
        Row(
            record_id=row["record_id"],
            number=row["version"] + row["link_no"],
            **row.pick("attempt", "item", "action", "submission"),
        )
        for row in rows[:limit]
    ]


@statement(queries.OLDEST)
async def oldest(tx: Tx) -> list[Row]:
    since = [row["waiting_since"] for _, row in tx.scan("exchanges") if row["state"] in ("PENDING", "RETRYING")]
    now = START_MS / 1000 + tx.database.loop.time()
    return [Row(oldest=max(0.0, now - min(since).timestamp()) if since else 0.0)]


@statement("SELECT pg_try_advisory_lock($1)")
async def try_lock(tx: Tx, number: int) -> list[Row]:
    taken = any(holder is not tx for holder in tx.database.locks.get(("session", number), {}))
    if not taken:
        await tx.lock("session", number)
    return [Row(locked=not taken)]


@statement("SELECT pg_advisory_unlock($1)")
async def unlock(tx: Tx, number: int) -> str:
    """The session's locks are all it has: it ends with them."""
    tx.abort()
    return "SELECT 1"
