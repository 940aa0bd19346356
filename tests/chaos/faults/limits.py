"""F9, F26: a consumer that is slow, and services that may not have more memory."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from deploy.local import postgres
from deploy.local.layout import SERVICES
from deploy.local.supervisor_file import log_of
from tests.chaos.fault import Measured, fault, require
from tests.chaos.faults.database import connect
from tests.chaos.ground import Ground
from tests.chaos.kills import log_end, log_since
from tests.chaos.reading import lanes

SLOW = "disclosure"
SLOW_S = 120.0
HURDLE = """
CREATE FUNCTION hurdle() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
CREATE TRIGGER hurdle BEFORE INSERT OR UPDATE ON record_standing FOR EACH ROW EXECUTE FUNCTION hurdle();
"""
CLEAR = "DROP FUNCTION hurdle CASCADE"
MEMORY_MB = 256
FULL_LOAD = 1500


@contextmanager
def hurdle(ground: Ground) -> Generator[None]:
    """Each row that the service writes of a record takes 50 ms more."""
    _sql(ground, HURDLE)
    try:
        yield
    finally:
        _sql(ground, CLEAR)


def _sql(ground: Ground, statement: str) -> None:
    async def run() -> None:
        connection = await connect(ground, postgres.SUPERUSER, SLOW)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


@fault("F9", "slow consumer", f"50 ms more for each record that disclosure writes (trigger), for {SLOW_S:.0f} s: a "
       "tenth of what comes in", "it goes on, its lag shows, no rebalance loop, others unaffected, I1–I8",
       None)  # fmt: skip
def slow_consumer(ground: Ground, chance: random.Random) -> Measured:
    """What it cannot do in time waits; it must neither stop, nor be thrown out of its group, nor try in vain."""
    log, pid = log_of(ground.layout, SLOW), ground.pid(SLOW)
    with hurdle(ground):
        mark, moved, worst = log.stat().st_size, [_read(ground)], 0.0
        for _ in range(4):
            time.sleep(SLOW_S / 4)
            moved.append(_read(ground))
            worst = max(worst, ground.metric(SLOW, "credit_lane_lag_messages"))
            others = [name for name in SERVICES if name != SLOW and not ground.ready(name)]
            require(not others, f"not ready: {others}")
        claims = log.read_bytes()[mark:].count(b'"lanes_claimed"')
    since = time.monotonic()
    require(ground.pid(SLOW) == pid, f"{SLOW} died")
    require(worst > 100, f"no lag shows: {worst:.0f}")
    still = [n for n, (a, b) in enumerate(pairwise(moved), 1) if b <= a]
    require(not still, f"nothing was done in quarters {still} of the time")
    require(claims <= 1, f"{claims} claims: a loop")
    ground.load.rest()
    took = ground.recovery(SERVICES, since, 300)
    return Measured([took], f"lag up to {worst:.0f}, {moved[-1] - moved[0]} messages meanwhile")


def _read(ground: Ground) -> int:
    return sum(lane.next_offset for lane in lanes(ground.doors, [SLOW])[SLOW].values())


@fault("F26", "memory limited", f"all services with at most {MEMORY_MB} MB of data (prlimit --data), {FULL_LOAD} "
       "submissions a second for 60 s", "bounded queues: nobody dies, I1–I8", 60, rate=0)  # fmt: skip
def little_memory(ground: Ground, chance: random.Random) -> Measured:
    """What waits must wait in the broker, not in memory."""
    with ground.ordered(SERVICES, prefix=["prlimit", f"--data={MEMORY_MB << 20}"]):
        ground.recovery(SERVICES, time.monotonic())
        mark = log_end(ground)
        with ground.load.flowing(FULL_LOAD):
            time.sleep(60)
        took = ground.recovery(SERVICES, time.monotonic(), 300)
        died = [line for line in log_since(ground, mark).splitlines() if "exited:" in line]
        require(not died, f"{len(died)} ends, first {died[0] if died else ''}")
        peaks = _peaks(ground, SERVICES)
    return Measured([took], "peak MB: " + ", ".join(f"{name} {peak}" for name, peak in peaks.items()))


def _peaks(ground: Ground, names: Sequence[str]) -> dict[str, int]:
    """The most memory that each process ever had resident, in MB."""
    status = {name: Path(f"/proc/{ground.pid(name)}/status").read_text() for name in names}
    return {name: int(text.split("VmHWM:")[1].split()[0]) >> 10 for name, text in status.items()}
