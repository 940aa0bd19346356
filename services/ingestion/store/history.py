"""The live store as a replay looks into it: nothing is locked, nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.chassis import outbox
from services.chassis.handling import Transaction
from services.chassis.message import Outgoing
from services.ingestion.domain.submission import RecordKey

SAID = "SELECT blob FROM outbox WHERE topic = $1 AND partition = $2 AND created_at = $3 ORDER BY last_position"
STANDING = "SELECT version, content FROM records WHERE agency = $1 AND item = $2 AND record_no = $3"


class Standing(NamedTuple):
    """A record as it stands: its version, and the 16-byte hash of what it says."""

    version: int
    content: bytes


class History:
    """Of one moment, which is the transaction's."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def said(self, topic: str, partition: int, at_ms: int) -> Sequence[Outgoing]:
        """What a lane said in the turn of this moment, in order."""
        rows = await self._tx.fetch(SAID, topic, partition, datetime.fromtimestamp(at_ms / 1000, UTC))
        return [event for row in rows for _, event in outbox.events(row["blob"])]

    async def standing(self, key: RecordKey) -> Standing | None:
        """The record of this business key; None before its first version."""
        row = await self._tx.fetchrow(STANDING, *key)
        return None if row is None else Standing(row["version"], row["content"])
