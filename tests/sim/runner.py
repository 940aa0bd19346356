"""Runs one seed and says what came of it."""

from __future__ import annotations

from typing import NamedTuple

from tests.sim import store
from tests.sim.bugs import planted
from tests.sim.installed import installed
from tests.sim.virtual import Stuck
from tests.sim.world import World

assert store


class Outcome(NamedTuple):
    """One seed: `violation` is None when everything held but for what is known to be open."""

    seed: int
    liveness: bool
    digest: str
    violation: str | None
    virtual_s: float
    steps: int
    journal: list[str]
    open_fault: str | None


def run_seed(seed: int, bug: int | None = None) -> Outcome:
    """One seed from beginning to end, with one of the planted bugs or none."""
    world = World(seed)
    with installed(world), planted(bug):
        try:
            world.loop.run(world.run())
        except Stuck as stuck:
            world.watch.object(f"I10 {stuck}")
        if world.loop.troubles:
            world.watch.object(f"a callback failed: {world.loop.troubles[0]}")
        digest, loop = world.digest(), world.loop
        loop.close()
        watch = world.watch
        ran = (loop.time(), loop.steps, world.journal)
        return Outcome(seed, world.liveness, digest, watch.violation, *ran, watch.open_fault)
