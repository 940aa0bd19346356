"""When the cycle collector looks."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Generator

import pytest

from services.chassis.garbage import EVERY_S, sweeper


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def _as_it_was() -> Generator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_garbage_of_a_turn_is_collected_between_turns_once_the_time_has_come() -> None:
    now = 0.0
    sweep = sweeper(lambda: now)
    gone = weakref.ref(Cycle())
    sweep()
    assert gone() is not None
    now = EVERY_S
    sweep()
    assert gone() is None


def test_a_turn_full_of_objects_is_not_interrupted() -> None:
    sweeper()
    looked: list[str] = []
    gc.callbacks.append(lambda phase, _: looked.append(phase))
    held = [[n] for n in range(300_000)]
    gc.callbacks.pop()
    assert (len(held), looked) == (300_000, [])
