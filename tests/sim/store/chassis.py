"""The chassis' own statements: lanes, origins, outbox, parking, timers."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from services.chassis import breaker, lanes, timers, turns
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, delete, insert_or, named, nothing, statement, statements_like, update

LANE = "topic partition epoch next_offset position published attempts origin_ids origin_positions"


@statement(lanes.END_FROZEN)
async def end_frozen(tx: Tx) -> list[Row]:
    """Nobody copies for ten seconds here: a frozen process' transaction is ended by its time limit."""
    return []


@statement(lanes.CLAIM)
async def claim(tx: Tx, topics: list[str], partitions: list[int], attempts: list[int]) -> list[Row]:
    tx.claimed.update(zip(topics, partitions, strict=True))
    new = [
        ((t, p), named(LANE, (t, p, 1, -1, 0, 0, a, [], [])) | {"timer_place": -1})
        for t, p, a in sorted(zip(topics, partitions, attempts, strict=True))
    ]

    def again(old: Row, row: Row) -> dict[str, Any]:
        return {**old, "epoch": old["epoch"] + 1, "attempts": old["attempts"] + row["attempts"]}

    return [row.pick(*LANE.split()) for row in await insert_or(tx, "lanes", new, again)]


@statement("SELECT count(*) FROM lanes")
async def count_lanes(tx: Tx) -> list[Row]:
    return [Row(count=len(tx.scan("lanes")))]


@statement("SELECT topic, partition, next_offset FROM lanes")
async def next_offsets(tx: Tx) -> list[Row]:
    return [row.pick("topic", "partition", "next_offset") for _, row in tx.scan("lanes")]


@statement("UPDATE lanes SET next_offset = $4 WHERE topic = $1 AND partition = $2 AND epoch = $3 AND next_offset = -1")
async def begin_at(tx: Tx, topic: str, partition: int, epoch: int, offset: int) -> str:
    change = {(topic, partition): {"epoch": epoch, "next_offset": offset}}
    return await update(tx, "lanes", change, lambda old, new: old["epoch"] == new["epoch"] and old["next_offset"] == -1)


@statement(lanes.MOVE)
async def move(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("topic partition epoch expected next_offset published", *arrays)
    count = 0
    for row in rows:
        done = await update(
            tx,
            "lanes",
            {(row["topic"], row["partition"]): row},
            lambda old, new: old["epoch"] == new["epoch"] and old["next_offset"] == new["expected"],
        )
        if done == "UPDATE 1":
            count += 1
            if row["next_offset"] > row["expected"]:
                await update(tx, "lanes", {(row["topic"], row["partition"]): {"attempts": 0}})
    return f"UPDATE {count}"


@statement(lanes.SPEAK)
async def speak(tx: Tx, *arrays: Any) -> str:
    texts = map(_arrays, arrays[3:])
    rows = columns("topic partition position origin_ids origin_positions", *arrays[:3], *texts)
    return await update(tx, "lanes", {(row["topic"], row["partition"]): row for row in rows})


def _arrays(texts: list[str]) -> list[list[int]]:
    return [[int(number) for number in text[1:-1].split(",") if number] for text in texts]


@statement("SELECT id, name FROM origins")
async def all_origins(tx: Tx) -> list[Row]:
    return [row.pick("id", "name") for _, row in tx.scan("origins")]


@statement(
    "INSERT INTO origins (name) SELECT * FROM unnest($1::text[]) ORDER BY 1 "
    "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, name"
)
async def number_origins(tx: Tx, names: list[str]) -> list[Row]:
    new = [(name, {"id": tx.database.next("origins"), "name": name}) for name in sorted(names)]
    return await insert_or(tx, "origins", new, lambda old, row: old)


@statement("SELECT number FROM incarnation")
async def incarnation(tx: Tx) -> list[Row]:
    return [Row(number=1)]


@statement("SELECT pg_advisory_xact_lock(hashtext('outbox months'))")
async def months(tx: Tx) -> list[Row]:
    await tx.lock("advisory", "outbox months")
    return [Row(pg_advisory_xact_lock=None)]


@statements_like(
    r"CREATE TABLE IF NOT EXISTS (?:outbox|turns)_\d{4}_\d\d PARTITION OF (?:outbox|turns) FOR VALUES FROM .*"
)
async def create_month(tx: Tx, found: re.Match[str]) -> str:
    return "CREATE TABLE"


@statement(
    "INSERT INTO outbox (topic, partition, first_position, last_position, created_at, blob) "
    "SELECT t, p, f, l, $6, b FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bytea[]) "
    "AS u (t, p, f, l, b)"
)
async def append(tx: Tx, *arguments: Any) -> str:
    rows = columns("topic partition first_position last_position blob", *arguments[:5])
    for row in rows:
        key = (row["topic"], row["partition"], row["first_position"], tx.database.next("outbox"))
        await tx.lock("outbox", key)
        tx.put("outbox", key, {**row, "created_at": arguments[5]})
    return f"INSERT 0 {len(rows)}"


@statement(
    "SELECT first_position, last_position, blob FROM outbox "
    "WHERE topic = $1 AND partition = $2 AND last_position > $3 ORDER BY last_position"
)
async def unpublished(tx: Tx, topic: str, partition: int, published: int) -> list[Row]:
    found = [
        row
        for _, row in tx.scan("outbox")
        if (row["topic"], row["partition"]) == (topic, partition) and row["last_position"] > published
    ]
    return [
        row.pick("first_position", "last_position", "blob")
        for row in sorted(found, key=lambda row: row["last_position"])
    ]


def _set_again(old: Row, new: dict[str, Any]) -> dict[str, Any]:
    return {**old, "due_at": new["due_at"], "body": new["body"]}


@statement(timers.SET)
async def set_timers(tx: Tx, *arrays: list[Any]) -> str:
    rows = columns("topic partition kind key due_at body", *arrays)
    new = [(tuple(row[name] for name in ("topic", "partition", "kind", "key")), row) for row in rows]
    return f"INSERT 0 {len(await insert_or(tx, 'timers', new, _set_again))}"


@statement(timers.WAITING)
async def waiting_timers(tx: Tx, topics: list[str], partitions: list[int], now: datetime) -> list[Row]:
    due = {(r["topic"], r["partition"]): r for r in _due(tx, topics, partitions, now)}
    return [row.pick("topic", "partition") for row in due.values()]


def _due(tx: Tx, topics: list[str], partitions: list[int], now: datetime) -> list[Row]:
    asked = set(zip(topics, partitions, strict=True))
    return [r for _, r in tx.scan("timers") if r["due_at"] <= now and (r["topic"], r["partition"]) in asked]


@statement(timers.TAKE)
async def take_timers(tx: Tx, topics: list[str], partitions: list[int], now: datetime, limit: int) -> list[Row]:
    due = _due(tx, topics, partitions, now)
    due.sort(key=lambda r: (r["due_at"], r["key"], r["topic"], r["partition"], r["kind"]))
    returning = "topic partition kind key body due_at"
    return await delete(tx, "timers", ["topic", "partition", "kind", "key"], due[:limit], returning)


TURN = "now_ms due due_limit culprit topics partitions next_offsets messages"


@statement(turns.INSERT)
async def enter_turn(tx: Tx, *values: Any) -> str:
    key = (tx.database.next("turns"),)
    await tx.lock("turns", key)
    tx.put("turns", key, named(TURN, values))
    return "INSERT 0 1"


@statement(breaker.BROKEN)
async def broken(tx: Tx, topics: list[str], partitions: list[int]) -> list[Row]:
    asked = set(zip(topics, partitions, strict=True))
    return [row.pick("topic", "partition") for key, row in tx.scan("stopped_lanes") if key in asked]


@statement(breaker.STOP)
async def stop_lanes(tx: Tx, topics: list[str], partitions: list[int], at: datetime) -> str:
    places = zip(topics, partitions, strict=True)
    new = [(place, {"topic": place[0], "partition": place[1], "stopped_at": at}) for place in places]
    return f"INSERT 0 {len(await insert_or(tx, 'stopped_lanes', new, nothing))}"


@statement(breaker.GO_ON)
async def go_on(tx: Tx, topic: str, partition: int) -> str:
    there = tx.get("stopped_lanes", (topic, partition))
    return f"DELETE {len(await delete(tx, 'stopped_lanes', ['topic', 'partition'], [there] if there else []))}"
