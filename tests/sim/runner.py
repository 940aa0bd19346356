"""Runs one seed and says what came of it."""

from __future__ import annotations

import gc
from typing import NamedTuple

from tests.sim.bugs import planted
from tests.sim.installed import installed
from tests.sim.store import REGISTERED as REGISTERED
from tests.sim.virtual import Stuck
from tests.sim.world import World


class Outcome(NamedTuple):
    """One seed: `violation` is None when everything held."""

    seed: int
    liveness: bool
    digest: str
    violation: str | None
    virtual_s: float
    steps: int
    journal: list[str]


def run_seed(seed: int, bug: int | None = None) -> Outcome:
    """One seed from beginning to end, with one of the planted bugs or none."""
    # A collection in the middle costs a twelfth of a seed, and would end what a dead process has left when it likes.
    gc.disable()
    try:
        return _run(World(seed), bug)
    finally:
        gc.enable()


def _run(world: World, bug: int | None) -> Outcome:
    with installed(world), planted(bug):
        try:
            world.loop.run(world.run())
        except Stuck as stuck:
            world.watch.object(f"I10 {stuck}")
        if world.loop.troubles:
            world.watch.object(f"a callback failed: {world.loop.troubles[0]}")
        digest, loop = world.digest(), world.loop
        loop.close()
        ran = (loop.time(), loop.steps, world.journal)
        return Outcome(world.seed, world.liveness, digest, world.watch.violation, *ran)
