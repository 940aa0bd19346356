"""Runs one seed and says what came of it."""

from __future__ import annotations

from typing import NamedTuple

from tests.sim import store
from tests.sim.installed import installed
from tests.sim.virtual import Stuck
from tests.sim.world import World

assert store


class Outcome(NamedTuple):
    """One seed: `violation` is None when everything held."""

    seed: int
    liveness: bool
    digest: str
    violation: str | None
    virtual_s: float
    steps: int
    journal: list[str]


def run_seed(seed: int) -> Outcome:
    """One seed from beginning to end."""
    world = World(seed)
    with installed(world):
        try:
            world.loop.run(world.run())
        except Stuck as stuck:
            world.watch.object(f"I10 {stuck}")
        if world.loop.troubles:
            world.watch.object(f"a callback failed: {world.loop.troubles[0]}")
        return Outcome(seed, world.liveness, world.digest(), world.watch.violation, world.loop.time(), world.loop.steps, world.journal)  # fmt: skip
