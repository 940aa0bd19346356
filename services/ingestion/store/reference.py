"""Agencies and catalogue items; every change raises the revision that other processes watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.chassis.handling import Transaction
from services.ingestion.domain import life
from services.ingestion.domain.agency import Agency
from services.ingestion.domain.catalogue_item import CatalogueItem, Edition
from services.ingestion.domain.profile import Profile

AGENCY_UPSERT = """
INSERT INTO agencies (code, name_zh, region, items, commands, kind, parent, expected_since, roles)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (code) DO UPDATE SET name_zh = excluded.name_zh, region = excluded.region, items = excluded.items,
    commands = excluded.commands, kind = excluded.kind, parent = excluded.parent,
    expected_since = excluded.expected_since, roles = excluded.roles
"""
EDITION_UPSERT = """
INSERT INTO catalogue (code, version, definition, schema_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (code, version) DO UPDATE SET definition = excluded.definition, schema_id = excluded.schema_id
"""
LIVES = "SELECT code, life FROM item_lives WHERE code = ANY($1) ORDER BY code FOR UPDATE"
LIFE_UPSERT = """
INSERT INTO item_lives (code, retired_at, life) VALUES ($1, $2, $3)
ON CONFLICT (code) DO UPDATE SET retired_at = excluded.retired_at, life = excluded.life
"""
RAISE = "UPDATE reference_revision SET number = number + 1"


AGENCIES_LOCKED = """
SELECT code, name_zh, region, items, commands, kind, parent, expected_since, roles
FROM agencies WHERE code = ANY($1) ORDER BY code FOR UPDATE
"""


async def load_agencies(tx: Transaction, codes: Sequence[str]) -> dict[str, Agency]:
    """The registered ones among these, locked in order."""
    found: dict[str, Agency] = {}
    for code, name_zh, region, items, commands, kind, parent, since, roles in await tx.fetch(
        AGENCIES_LOCKED, list(codes)
    ):
        profile = Profile(kind, parent, since, tuple(roles))
        found[code] = Agency(name_zh, region, tuple(items), tuple(commands), profile)
    return found


async def save_agencies(tx: Transaction, before: Mapping[str, Agency], after: Mapping[str, Agency]) -> None:
    """Write the changed ones."""
    changed = {code: a for code, a in sorted(after.items()) if a.name_zh and a is not before.get(code)}
    for code, agency in changed.items():
        kind, parent, since, roles = agency.profile
        said = agency.name_zh, agency.region, list(agency.items), list(agency.commands)
        await tx.execute(AGENCY_UPSERT, code, *said, kind, parent, since, list(roles))
    if changed:
        await tx.execute(RAISE)


async def load_items(tx: Transaction, codes: Sequence[str]) -> dict[str, CatalogueItem]:
    """The known ones among these, locked in order."""
    rows = await tx.fetch(
        "SELECT code, version, definition, schema_id FROM catalogue WHERE code = ANY($1) "
        "ORDER BY code, version FOR UPDATE",
        list(codes),
    )
    lives = {row["code"]: life.from_text(row["life"]) for row in await tx.fetch(LIVES, list(codes))}
    editions: dict[str, list[Edition]] = {code: [] for code in lives}
    for row in rows:
        editions.setdefault(row["code"], []).append(Edition(row["version"], row["definition"], row["schema_id"]))
    return {code: CatalogueItem(tuple(found), lives.get(code, life.BORN)) for code, found in editions.items()}


async def save_items(tx: Transaction, before: Mapping[str, CatalogueItem], after: Mapping[str, CatalogueItem]) -> None:
    """Write the new editions, and the lives that went on."""
    nothing = CatalogueItem()
    changed = {code: item for code, item in sorted(after.items()) if item != before.get(code, nothing)}
    for code, item in changed.items():
        known = before.get(code, nothing)
        for edition in item.editions:
            if edition not in known.editions:
                await tx.execute(EDITION_UPSERT, code, *edition)
        if item.life != known.life:
            retired_at = item.life.retired.at if item.life.retired else None
            await tx.execute(LIFE_UPSERT, code, retired_at, life.to_text(item.life))
    if changed:
        await tx.execute(RAISE)
