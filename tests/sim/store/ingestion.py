"""Ingestion's statements: records, agencies, catalogue, feeds."""

from __future__ import annotations

from typing import Any

from services.ingestion import queries
from services.ingestion.store import feeds, records, reference
from tests.sim.store.connection import new_rows
from tests.sim.store.engine import Row, Tx
from tests.sim.store.statements import columns, insert_or, named, statement, update

RECORD = " ".join(records.COLUMNS)
LOADED = ("agency", "item", "record_no", "version", "content", "produced_at", "withdrawn", "seen")


@statement(records.LOAD)
async def load(tx: Tx, *arrays: list[str]) -> list[Row]:
    found: list[Row] = []
    for key in zip(*arrays, strict=True):
        if tx.get("records", key) is not None:
            await tx.lock("records", key)
        row = tx.get("records", key)
        if row is not None:
            found.append(row.pick(*LOADED))
    return found


def _records(arrays: tuple[list[Any], ...], names: str = RECORD) -> dict[Any, dict[str, Any]]:
    return {(row["agency"], row["item"], row["record_no"]): row for row in columns(names, *arrays)}


new_rows(records.NEW)


@statement(records.CHANGE)
async def change(tx: Tx, *arrays: list[Any]) -> str:
    return await update(tx, "records", _records(arrays))


@statement(records.REMEMBER)
async def remember(tx: Tx, *arrays: list[Any]) -> str:
    return await update(tx, "records", _records(arrays, "agency item record_no seen"))


@statement("SELECT number FROM reference_revision")
async def revision(tx: Tx) -> list[Row]:
    return [tx.get("reference_revision", ()) or Row(number=0)]


@statement(reference.RAISE)
async def raise_revision(tx: Tx) -> str:
    await tx.lock("reference_revision", ())
    old = tx.get("reference_revision", ()) or Row(number=0)
    tx.put("reference_revision", (), {"number": old["number"] + 1})
    return "UPDATE 1"


@statement("SELECT code, items FROM agencies ORDER BY code")
async def agencies(tx: Tx) -> list[Row]:
    return [row.pick("code", "items") for _, row in sorted(tx.scan("agencies"))]


@statement("SELECT code, version, definition, schema_id FROM catalogue ORDER BY code, version")
async def editions(tx: Tx) -> list[Row]:
    return [row.pick("code", "version", "definition", "schema_id") for _, row in sorted(tx.scan("catalogue"))]


AGENCY = "code name_zh region items commands kind parent expected_since roles"


@statement(reference.AGENCIES_LOCKED)
async def load_agencies(tx: Tx, codes: list[str]) -> list[Row]:
    found: list[Row] = []
    for code in sorted(set(codes)):
        if tx.get("agencies", code) is not None:
            await tx.lock("agencies", code)
            found.append((tx.get("agencies", code) or Row()).pick(*AGENCY.split()))
    return found


@statement(reference.AGENCY_UPSERT)
async def save_agency(tx: Tx, *values: Any) -> str:
    row = named(AGENCY, values)
    await insert_or(tx, "agencies", [(row["code"], row)], lambda old, new: new)
    return "INSERT 0 1"


@statement(
    "SELECT code, version, definition, schema_id FROM catalogue WHERE code = ANY($1) ORDER BY code, version FOR UPDATE"
)
async def load_items(tx: Tx, codes: list[str]) -> list[Row]:
    found: list[Row] = []
    for key, _ in sorted(tx.scan("catalogue")):
        if key[0] in codes:
            await tx.lock("catalogue", key)
            found.append((tx.get("catalogue", key) or Row()).pick("code", "version", "definition", "schema_id"))
    return found


@statement(reference.EDITION_UPSERT)
async def save_edition(tx: Tx, *values: Any) -> str:
    row = named("code version definition schema_id", values)
    await insert_or(tx, "catalogue", [((row["code"], row["version"]), row)], lambda old, new: new)
    return "INSERT 0 1"


@statement(reference.LIVES)
async def load_lives(tx: Tx, codes: list[str]) -> list[Row]:
    found: list[Row] = []
    for code in sorted(set(codes)):
        if tx.get("item_lives", code) is not None:
            await tx.lock("item_lives", code)
            found.append((tx.get("item_lives", code) or Row()).pick("code", "life"))
    return found


@statement(reference.LIFE_UPSERT)
async def save_life(tx: Tx, *values: Any) -> str:
    row = named("code retired_at life", values)
    await insert_or(tx, "item_lives", [(row["code"], row)], lambda old, new: new)
    return "INSERT 0 1"


@statement("SELECT code FROM item_lives WHERE retired_at IS NOT NULL ORDER BY code")
async def retired(tx: Tx) -> list[Row]:
    return [row.pick("code") for _, row in sorted(tx.scan("item_lives")) if row["retired_at"] is not None]


FEED = "day agency item partition accepted duplicate refused late_unit late_agency first_at last_at earliest_decided"
SUMS = ("accepted", "duplicate", "refused", "late_unit", "late_agency")
EXPECTED = "agency item records days since commands"


@statement(feeds.ADD)
async def add_to_feeds(tx: Tx, *arrays: list[Any]) -> str:
    rows = [((r["day"], r["agency"], r["item"], r["partition"]), r) for r in columns(FEED, *arrays)]
    return f"INSERT 0 {len(await insert_or(tx, 'feeds', rows, _both))}"


def _both(old: Row, new: dict[str, Any]) -> dict[str, Any]:
    decided = [day for day in (old["earliest_decided"], new["earliest_decided"]) if day is not None]
    return {
        **old,
        **{name: old[name] + new[name] for name in SUMS},
        "first_at": min(old["first_at"], new["first_at"]),
        "last_at": max(old["last_at"], new["last_at"]),
        "earliest_decided": min(decided, default=None),
    }


@statement(feeds.LOAD)
async def load_expectations(tx: Tx, *arrays: list[str]) -> list[Row]:
    found: list[Row] = []
    for key in zip(*arrays, strict=True):
        if tx.get("feed_expectations", key) is not None:
            await tx.lock("feed_expectations", key)
        row = tx.get("feed_expectations", key)
        if row is not None:
            found.append(row.pick(*EXPECTED.split()))
    return found


@statement(feeds.SAVE)
async def save_expectation(tx: Tx, *values: Any) -> str:
    row = named(EXPECTED, values)
    await insert_or(tx, "feed_expectations", [((row["agency"], row["item"]), row)], lambda old, new: new)
    return "INSERT 0 1"


@statement(queries.FEEDS)
async def counts_of_feeds(tx: Tx, since: int, before: int) -> list[Row]:
    rows = [row.pick(*FEED.split()) for key, row in tx.scan("feeds") if since <= key[0] < before]
    return sorted(rows, key=lambda row: (row["agency"], row["item"], row["day"], row["partition"]))


@statement(queries.EXPECTATIONS)
async def expectations(tx: Tx) -> list[Row]:
    return [row.pick(*EXPECTED.split()[:5]) for _, row in sorted(tx.scan("feed_expectations"))]
