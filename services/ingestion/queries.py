"""SQL for reading: the reference data that submissions are judged by."""

from __future__ import annotations

from typing import Any

from services.chassis.handling import Transaction
from services.ingestion.domain.expectation import FeedKey
from services.ingestion.domain.feed import Counts, Place
from services.ingestion.domain.profile import ROLES
from services.ingestion.domain.punctuality import Day
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from services.ingestion.domain.silence import Expected


async def newer_reference(tx: Transaction, known: int) -> Reference | None:
    """One small query a batch; everything is read when the revision has moved past the known one."""
    revision = await tx.fetchval("SELECT number FROM reference_revision")
    if revision == known:
        return None
    agencies = await tx.fetch("SELECT code, items FROM agencies ORDER BY code")
    editions = await tx.fetch("SELECT code, version, definition, schema_id FROM catalogue ORDER BY code, version")
    retired = await tx.fetch("SELECT code FROM item_lives WHERE retired_at IS NOT NULL ORDER BY code")
    return Reference(
        revision,
        tuple(AgencyRow(row["code"], tuple(row["items"])) for row in agencies),
        tuple(EditionRow(row["code"], row["version"], row["definition"], row["schema_id"]) for row in editions),
        frozenset(row["code"] for row in retired),
    )


REGISTERED = """
SELECT code, name_zh, region, items, kind, parent, expected_since, roles FROM agencies ORDER BY code
"""


async def registered(tx: Transaction) -> list[dict[str, Any]]:
    """Every registered agency with its roles, by name; for the operator only."""
    rows = await tx.fetch(REGISTERED)
    return [{**row, "roles": dict(zip(ROLES, row["roles"], strict=False))} for row in map(dict, rows)]


FEEDS = """
SELECT day, agency, item, partition, accepted, duplicate, refused, late_unit, late_agency, first_at, last_at,
    earliest_decided
FROM feeds WHERE day >= $1 AND day < $2 ORDER BY agency, item, day, partition
"""
EXPECTATIONS = "SELECT agency, item, records, days, since FROM feed_expectations ORDER BY agency, item"


async def feeds(tx: Transaction, since: Day, before: Day) -> list[tuple[Place, Counts]]:
    """The counts of all feeds of these days, one row a lane."""
    return [(Place(*row[:4]), Counts(*row[4:])) for row in map(tuple, await tx.fetch(FEEDS, since, before))]


async def first_seen(tx: Transaction) -> dict[FeedKey, int]:
    """When each feed sent its first submission, in milliseconds since 1970."""
    rows = await tx.fetch("SELECT agency, item, min(first_at) AS first_at FROM feeds GROUP BY agency, item")
    return {(row["agency"], row["item"]): row["first_at"] for row in rows}


async def expectations(tx: Transaction) -> dict[FeedKey, Expected]:
    """What operators have said of feeds."""
    return {(agency, item): Expected(*said) for agency, item, *said in map(tuple, await tx.fetch(EXPECTATIONS))}


# What reconciliation compares (chassis/digest.py): all records, and those that a channel shows.
DIGESTS = {
    "records": "SELECT record_id, version::bigint AS version, item FROM records",
    "to_show": """
        SELECT r.record_id, r.version::bigint AS version, r.item FROM records AS r
        JOIN catalogue AS c ON c.code = r.item AND c.version = r.item_version
        WHERE NOT r.withdrawn AND c.definition::jsonb ->> 'disclosure' IN ('public', 'government')""",
}  # fmt: skip
