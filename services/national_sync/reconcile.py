"""Compares the ledger with the national platform's own counts."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.chassis import postgres
from services.chassis.errors import Transient
from services.chassis.settings import Settings
from services.national_sync import queries
from services.national_sync.config import NationalConfig
from services.national_sync.platform_client import PlatformClient

WAITING = ("PENDING", "RETRYING")


class Compared(NamedTuple):
    """One item: what the ledger believes the platform holds, what it says it holds, what is still under way."""

    item: str
    ledger: int
    national: int
    waiting: int

    @property
    def explained(self) -> bool:
        """A difference is explained by no more records than are under way."""
        return abs(self.ledger - self.national) <= self.waiting


def compare(rows: Sequence[Any], national: Mapping[str, int]) -> list[Compared]:
    """One line per item that either side knows."""
    items = sorted({row["item"] for row in rows} | set(national))
    return [
        Compared(
            item,
            sum(row["held"] for row in rows if row["item"] == item),
            national.get(item, 0),
            sum(row["exchanges"] for row in rows if row["item"] == item and row["state"] in WAITING),
        )
        for item in items
    ]


async def _compared() -> list[Compared]:
    settings = Settings.from_environment()
    pool = await postgres.open_pool(settings)
    try:
        async with PlatformClient(NationalConfig.from_environment(settings.environment)) as client:
            national = await client.counts()
        async with postgres.transaction(pool) as tx:
            return compare(await queries.counts(tx), national)
    finally:
        await pool.close()


def reconcile() -> None:
    """Print one JSON line per item; exit code 1 when a difference is not explained, 2 when a side is away."""
    try:
        found = asyncio.run(_compared())
    except Transient as trouble:
        sys.stderr.write(f"national_sync: {trouble.args[0]} is away; start it and try again\n")
        raise SystemExit(2) from None
    for line in found:
        sys.stdout.write(json.dumps({**line._asdict(), "explained": line.explained}) + "\n")
    raise SystemExit(0 if all(line.explained for line in found) else 1)
