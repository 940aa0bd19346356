"""What the lane loop needs from outside, so that tests, the simulator and a replay give it something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.chassis.batch import Batch, Decider
from services.chassis.errors import Transient
from services.chassis.handling import Service, Transaction
from services.chassis.publishing import Publisher


class Observer(Protocol):
    """Where the loop reports; the metrics in production, a recorder in tests."""

    def batch(self, batch: Batch, seconds: float) -> None: ...
    def lag(self, topic: str, messages: int, seconds: float) -> None: ...
    def published(self, count: int) -> None: ...
    def transient(self, error: Transient) -> None: ...
    def event(self, name: str, **fields: object) -> None: ...


class SchemaSource(Protocol):
    """Fetches the schemas that a batch names and this process has not seen."""

    async def resolve(self, values: Iterable[bytes | None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the loop needs from outside."""

    service: Service
    decider: Decider
    publisher: Publisher
    schemas: SchemaSource
    transaction: Callable[[], AbstractAsyncContextManager[Transaction]]
    clock_ms: Callable[[], int]
    observer: Observer
    rest: Callable[[], None] = lambda: None  # called between two turns, when what a turn held is gone
