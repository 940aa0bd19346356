"""F17: the clock of one service after the other is far ahead, behind, or jumps."""

from __future__ import annotations

import random
import time
from pathlib import Path

from deploy.local.layout import SERVICES
from tests.chaos.fault import Measured, fault, require
from tests.chaos.ground import Ground, until

LASTS_S = 10.0
JUMP_EVERY_S = 2.0
HOUR = 3600


def library() -> Path:
    """libfaketime for programs with threads; raises `DoesNotHold` with the remedy."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    require(found, "not run: libfaketime is not installed: apt-get install libfaketime")
    return found[0]


def shifted(offset: Path) -> dict[str, str]:
    """A clock that is wrong by what the file says, read anew each time; time spans stay right."""
    return {"LD_PRELOAD": str(library()), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip


@fault("F17", "clock shifted", f"libfaketime on one service after the other, {LASTS_S:.0f} s each: 400 days ahead; an "
       "hour behind (ingestion 5 min: what comes from its future is refused, as it must be); jumps of 5 min to and fro",
       "deadlines from the event's own dates, chain and order by number, I1–I8", None)  # fmt: skip
def wrong_clock(ground: Ground, chance: random.Random) -> Measured:
    """Every service lives through each wrong clock, and through the way back to the right one."""
    offset, measured = ground.layout.var / "faketime", Measured()
    for service in chance.sample(SERVICES, len(SERVICES)):
        behind = 300 if service == "ingestion" else HOUR
        _write(offset, 0)
        with ground.ordered([service], shifted(offset)):
            until(lambda s=service: ground.ready(s), f"{service} is ready under libfaketime", 60)
            for seconds in (400 * 24 * HOUR, -behind):
                _write(offset, seconds)
                time.sleep(LASTS_S)
                until(lambda s=service: ground.ready(s), f"{service} is ready, its clock {seconds} s off", 30)
            over = time.monotonic() + LASTS_S
            while time.monotonic() < over:
                _write(offset, chance.choice((-300, 0, 300)))
                time.sleep(JUMP_EVERY_S)
        measured.recovery.append(ground.recovery(SERVICES, time.monotonic()))
    return measured


def _write(offset: Path, seconds: int) -> None:
    draft = offset.with_suffix(".draft")
    draft.write_text(f"{seconds:+d}\n")
    draft.replace(offset)
