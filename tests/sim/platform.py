"""The national platform: takes records once per key, and has bad days."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from services.national_sync.platform_client import Told


class Platform:
    """What the nation holds; shared by all who push."""

    def __init__(self, chance: Any, troubles: Any) -> None:
        self._chance, self._troubles = chance, troubles
        self.held: dict[str, tuple[int, str]] = {}  # record -> version and action of the newest
        self.taken: dict[str, Told] = {}  # idempotency key -> the answer
        self.busy = chance.choice((0.0, 0.1, 0.4))

    def take(self, record: Mapping[str, Any]) -> Told:
        """Once per key; an older version than the one that is held changes nothing."""
        key = str(record["key"])
        if key not in self.taken:
            self.taken[key] = Told("ACKNOWLEDGED", "", "")
            if record["version"] > self.held.get(record["record_id"], (0, ""))[0]:
                self.held[record["record_id"]] = record["version"], record["action"]
        return self.taken[key]

    async def push(self, records: Sequence[Mapping[str, Any]]) -> list[Told]:
        """One answer for each; while it has a bad day some are told to come again, and some answers are lost."""
        await asyncio.sleep(self._chance.uniform(0.005, 0.1))
        told: list[Told] = []
        for record in records:
            bad = self._troubles.raging and self._chance.random() < self.busy
            if bad and self._chance.random() < 0.5:
                told.append(Told("TRANSIENT", "BUSY", ""))
                continue
            answer = self.take(record)
            told.append(Told("TRANSIENT", "NO_ANSWER", "") if bad else answer)
        return told


class Client:
    """In place of the HTTPS client."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def push(self, records: Sequence[Mapping[str, Any]]) -> list[Told]:
        """As the client does."""
        return await self._platform.push(records)
