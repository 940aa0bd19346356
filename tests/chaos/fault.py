"""What a fault is: how it is injected, what must hold, and what a run of it found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.ground import Ground
from tests.chaos.load import RATE


class DoesNotHold(AssertionError):
    """The product does not do here what it must; the text says why."""


@dataclass
class Measured:
    """What a run of a fault measured: seconds to recover, and figures worth a line in the table."""

    recovery: list[float] = field(default_factory=list[float])
    note: str = ""


Inject = Callable[[Ground, random.Random], Measured]


@dataclass(frozen=True)
class Fault:
    """One row of the fault matrix."""

    id: str
    title: str
    how: str
    invariants: str
    budget: float | None  # seconds from heal to ready and lag 0
    inject: Inject
    quick: bool = False  # cheap enough for every change
    rate: int = RATE  # submissions a second meanwhile; 0: it brings its own
    accounted: bool = True  # the verifier looks at everything afterwards


REGISTRY: dict[str, Fault] = {}


def fault(
    id: str, title: str, how: str, invariants: str, budget: float | None, **more: Any
) -> Callable[[Inject], Inject]:
    """Register a function as the injection of a fault."""

    def register(inject: Inject) -> Inject:
        assert id not in REGISTRY, f"two faults called {id}"
        REGISTRY[id] = Fault(id, title, how, invariants, budget, inject, **more)
        return inject

    return register


def require(truth: object, why: str) -> None:
    """What must hold; raises `DoesNotHold`."""
    if not truth:
        raise DoesNotHold(why)
