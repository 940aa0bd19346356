"""What people order about subjects while the agencies publish: merge, take apart, judge, some orders twice."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.sim.traffic import organisations


def plan(world: Any, seconds: float) -> None:
    """A few orders in about half of the seeds; whether one is carried out is for the service to decide."""
    chance = random.Random(f"{world.seed}/merges")
    if chance.random() < 0.5:
        return
    codes = [organisation.uscc for organisation in organisations(3)]
    for number in range(chance.randint(1, 6)):
        one, other = chance.sample(codes, 2)
        kind = chance.choice(("merge", "merge", "merge", "unmerge", "unmerge", "judge"))
        named = {"one": one, "other": other, "verdict": "SAME"} if kind == "judge" else {"into": one, "gone": other}
        said = json.dumps({**named, "overrule": True, "reason": "演示", "by": "演示员"})
        at = chance.uniform(1.0, seconds)
        for again in (0.0, 0.5) if chance.random() < 0.2 else (0.0,):
            world.at(at + again, world.command, "identity", f"{kind}_subjects", b"subjects", f"order-{number}", said)
