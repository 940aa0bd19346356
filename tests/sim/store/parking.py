"""Statements about parked messages and the orders that operators give about them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

from services.chassis import carrying_out, parking
from tests.sim.store.connection import refuse
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import delete, insert_or, named, statement, update

PARKED = "topic partition offset key value headers message_at code detail parked_at"
PLACE = ["topic", "partition", "offset"]
RETURNING = "topic partition offset key value headers message_at"


@statement(parking.PUT)
async def park(tx: Tx, *values: Any) -> str:
    row: dict[str, Any] = named(PARKED, values)
    row |= dict.fromkeys(("released_at", "discarded_at", "discarded_by"))
    row["headers"] = json.dumps(json.loads(row["headers"]))
    await insert_or(tx, "parked", [((row["topic"], row["partition"], row["offset"]), row)], refuse)
    return "INSERT 0 1"


@statement(parking.GIVE_PLACES)
async def give_places(tx: Tx, topics: list[str], partitions: list[int], counts: list[int]) -> list[Row]:
    given: list[Row] = []
    for topic, partition, count in zip(topics, partitions, counts, strict=True):
        await tx.lock("lanes", (topic, partition))
        row = tx.get("lanes", (topic, partition))
        if row is None:
            continue
        place = row["timer_place"] - count
        tx.put("lanes", (topic, partition), {**row, "timer_place": place})
        given.append(Row(topic=topic, partition=partition, timer_place=place))
    return given


def _in_lanes(tx: Tx, topics: list[str], partitions: list[int]) -> list[Row]:
    asked = set(zip(topics, partitions, strict=True))
    rows = [row for _, row in tx.scan("parked") if (row["topic"], row["partition"]) in asked]
    return sorted(rows, key=lambda r: (r["topic"], r["partition"], r["offset"] >= 0, abs(r["offset"])))


def _key(row: Row) -> tuple[Any, ...]:
    return row["topic"], row["partition"], row["key"]


@statement(parking.TAKE)
async def take_released(tx: Tx, topics: list[str], partitions: list[int], limit: int) -> list[Row]:
    rows = _in_lanes(tx, topics, partitions)
    free = {_key(r) for r in rows if r["released_at"] is not None and r["key"]}
    due = [r for r in rows if r["discarded_at"] is None and (r["released_at"] is not None or _key(r) in free)]
    return await delete(tx, "parked", PLACE, due[:limit], RETURNING)


@statement(parking.RELEASE_REST)
async def release_rest(tx: Tx, topics: list[str], partitions: list[int], keys: list[bytes], at: datetime) -> str:
    taken = {key for key in zip(topics, partitions, keys, strict=True) if key[2]}
    rest = [place for place, r in tx.scan("parked") if _key(r) in taken and r["released_at"] is None]
    return await update(tx, "parked", {place: {"released_at": at} for place in rest})


@statement(parking.PARK_REST)
async def park_rest(
    tx: Tx, topics: list[str], partitions: list[int], keys: list[bytes], at: datetime, code: str
) -> str:
    again = {key for key in zip(topics, partitions, keys, strict=True) if key[2]}
    free = [(p, r) for p, r in tx.scan("parked") if r["released_at"] is not None and r["discarded_at"] is None]
    waits = {"released_at": None, "code": code, "detail": "", "parked_at": at}
    return await update(tx, "parked", {place: waits for place, row in free if _key(row) in again})


def _discarded(tx: Tx, topics: list[str], partitions: list[int], limit: int) -> list[Row]:
    return [r for r in _in_lanes(tx, topics, partitions) if r["discarded_at"] is not None][:limit]


@statement(parking.TAKE_BACK)
async def take_back(tx: Tx, topics: list[str], partitions: list[int], limit: int) -> list[Row]:
    return await delete(tx, "parked", PLACE, _discarded(tx, topics, partitions, limit), RETURNING)


@statement(parking.TAKE_DISCARDED)
async def take_discarded(tx: Tx, topics: list[str], partitions: list[int], limit: int, at: datetime) -> list[Row]:
    due = _discarded(tx, topics, partitions, limit)
    gone = await delete(tx, "parked", PLACE, due, f"{RETURNING} code parked_at discarded_by")
    for row in gone:
        kept = {name: row[name] for name in (*PLACE, "code", "message_at", "parked_at")}
        more = {
            "discarded_at": at,
            "command_id": row["discarded_by"],
            "value_hash": sha256(row["value"] or b"").digest(),
        }
        key = (*(row[name] for name in PLACE), at)
        await tx.lock("discarded", key)
        tx.put("discarded", key, kept | more)
    return [row.pick(*RETURNING.split()) for row in gone]


@statement("SELECT DISTINCT key FROM parked WHERE topic = $1 AND partition = $2")
async def parked_keys(tx: Tx, topic: str, partition: int) -> list[Row]:
    keys = {r["key"] for _, r in tx.scan("parked") if (r["topic"], r["partition"]) == (topic, partition)}
    return [Row(key=key) for key in sorted(keys)]


@statement("SELECT count(*) FROM parked")
async def count_parked(tx: Tx) -> list[Row]:
    return [Row(count=len(tx.scan("parked")))]


def _asked(topics: Iterable[str], partitions: Iterable[int], offsets: Iterable[int]) -> list[tuple[Any, ...]]:
    return sorted(set(zip(topics, partitions, offsets, strict=True)))


@statement(carrying_out.LOAD)
async def load_places(tx: Tx, topics: list[str], partitions: list[int], offsets: list[int]) -> list[Row]:
    found: list[Row] = []
    for place in _asked(topics, partitions, offsets):
        if tx.get("parked", place) is None:
            continue
        await tx.lock("parked", place)
        row = tx.get("parked", place)
        if row is not None and row["discarded_at"] is None:
            found.append(row.pick(*PLACE))
    return found


@statement(carrying_out.ANSWERED)
async def answered(tx: Tx, ids: list[str]) -> list[Row]:
    return [row.pick("command_id", "messages") for _, row in tx.scan("orders") if row["command_id"] in ids]


@statement(carrying_out.ENTER)
async def enter_order(tx: Tx, *values: Any) -> str:
    row = named("command_id kind issued_by reason messages decided_at", values)
    await insert_or(tx, "orders", [((row["command_id"],), row)], refuse)
    return "INSERT 0 1"


@statement(carrying_out.RELEASE)
async def release(tx: Tx, topics: list[str], partitions: list[int], offsets: list[int], at: datetime) -> str:
    named = [row for place in _asked(topics, partitions, offsets) if (row := tx.get("parked", place)) is not None]
    keys = {_key(row) for row in named if row["key"]}
    alone = {tuple(row[name] for name in PLACE) for row in named if not row["key"]}
    marked = {p: {"released_at": r["released_at"] or at} for p, r in tx.scan("parked") if _key(r) in keys or p in alone}
    return await update(tx, "parked", marked)


@statement(carrying_out.DISCARD)
async def discard(
    tx: Tx, topics: list[str], partitions: list[int], offsets: list[int], at: datetime, command_id: str
) -> str:
    marks = {"discarded_at": at, "discarded_by": command_id}
    return await update(tx, "parked", dict.fromkeys(_asked(topics, partitions, offsets), marks))
