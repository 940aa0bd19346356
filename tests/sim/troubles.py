"""What can go wrong with a statement, a commit, a publish or the registry, with the probabilities of one seed."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Literal

import asyncpg

from services.chassis.errors import Transient
from tests.sim.store.engine import Database, Tx

Fate = Literal["done", "lost", "unanswered"]


class Troubles:
    """All quiet until `rage`, and again after `heal`; the delays stay."""

    def __init__(self, chance: random.Random, outside: Any) -> None:
        self._chance, self.outside = chance, outside
        pick = chance.choice
        self.raging = False
        self.statement_fails = pick((0.0, 0.0, 0.001, 0.004))
        self.commit_lost = pick((0.0, 0.01, 0.04))
        self.commit_unanswered = pick((0.0, 0.01, 0.04))
        self.commit_slow = pick((0.0, 0.02, 0.1))
        self.refused = pick((0.0, 0.0, 0.01, 0.03))
        self.unanswered = pick((0.0, 0.0, 0.003))
        self.registry_away = pick((0.0, 0.0, 0.2))
        self.pause = pick((0.02, 0.1, 0.3))

    def _strikes(self, probability: float) -> bool:
        return self.raging and probability > 0.0 and self._chance.random() < probability

    def latency(self) -> float:
        """Seconds that a message needs to the database."""
        return self._chance.uniform(0.0002, 0.003)

    def commit_takes(self) -> float:
        """Seconds that the server needs; sometimes its disk is slow, and who asked may be dead before it is done."""
        return self._chance.uniform(0.2, 3.0) if self._strikes(self.commit_slow) else self._chance.uniform(0.001, 0.008)

    def commit(self, database: Database) -> Fate:
        """What becomes of a COMMIT and of its answer."""
        if self._strikes(self.commit_lost):
            return "lost"
        return "unanswered" if self._strikes(self.commit_unanswered) else "done"

    async def statement(self, database: Database, tx: Tx) -> None:
        """Sometimes a pause, in which others go on; sometimes the connection breaks."""
        if self._chance.random() < self.pause:
            await asyncio.sleep(self.latency())
        if database.away or self._strikes(self.statement_fails):
            tx.abort()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    def publish_refused(self) -> bool:
        """The broker does not take a batch for good."""
        return self._strikes(self.refused)

    def publish_unanswered(self) -> bool:
        """It is written, and the producer is never told."""
        return self._strikes(self.unanswered)

    def registry(self) -> None:
        """Raises `Transient` while the registry is away."""
        if self._strikes(self.registry_away):
            raise Transient("registry", "away")
