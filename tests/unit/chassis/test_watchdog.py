"""When a worker must end, and when it must not; once with a real thread and a loop that is really blocked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest

from deploy.local.layout import REPO
from services.chassis.watchdog import ASKING, EXIT_CODE, LIMIT, Judge, Pulse


def looked(pulses: Iterable[Pulse]) -> list[str]:
    judge = Judge()
    return [judge.look(pulse) for pulse in pulses]


def still(ticks: int, lag: int = 5, away: bool = False, asking: bool = False, start: int = 0) -> list[Pulse]:
    return [Pulse(start + n, 7, lag, away, asking) for n in range(ticks)]


def test_lag_without_progress_ends_it_after_the_limit_and_not_before() -> None:
    assert looked(still(LIMIT + 1)) == [""] * LIMIT + ["no_progress"]


def test_progress_begins_the_count_anew() -> None:
    pulses = [Pulse(n, n // (LIMIT - 1), 5) for n in range(10 * LIMIT)]
    assert not any(looked(pulses))


def test_without_lag_there_is_nothing_to_progress_with() -> None:
    assert not any(looked(still(10 * LIMIT, lag=0)))


def test_while_something_is_away_it_waits_for_ever_and_then_has_the_whole_limit() -> None:
    pulses = [*still(10 * LIMIT, away=True), *still(LIMIT - 1, start=10 * LIMIT)]
    assert not any(looked(pulses))
    assert looked([*pulses, *still(1, start=20 * LIMIT)])[-1] == "no_progress"


def test_an_answer_that_is_awaited_has_its_own_limit_and_only_beyond_it_is_the_worker_stuck() -> None:
    assert not any(looked(still(ASKING * LIMIT, asking=True)))
    assert looked(still(ASKING * LIMIT + 1, asking=True))[-1] == "no_progress"


def test_a_silent_event_loop_ends_it_whatever_it_said_last() -> None:
    for last in (Pulse(1, 1, 0), Pulse(1, 1, 5, away=True)):
        assert looked([last] * (LIMIT + 1)) == [""] * LIMIT + ["event_loop_blocked"]


def test_after_a_pause_it_has_the_whole_limit_again() -> None:
    judge = Judge()
    assert not any(judge.look(pulse) for pulse in still(LIMIT))
    judge.begin_anew()
    assert not any(judge.look(pulse) for pulse in still(LIMIT))


PROGRAM = """
import asyncio, time
from services.chassis.watchdog import Pulse, Watchdog
beats = 0
async def main():
    global beats
    dog = Watchdog(lambda: Pulse(beats, 0, {lag}), lambda seconds: None, limit=3)
    dog.start()
    for beats in range(6):
        await asyncio.sleep(1)
    dog.stop()
    {block}
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("lag", "block", "code"),
    [(0, "pass", 0), (1, "pass", EXIT_CODE), (0, "time.sleep(30)", 0)],
    ids=["nothing to do", "lag", "an orderly end"],
)
def test_the_thread_ends_the_process(lag: int, block: str, code: int) -> None:
    program = PROGRAM.format(lag=lag, block=block.replace("30", "1"))
    done = subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert ("watchdog_ends_worker" in done.stdout + done.stderr) == bool(code)


def test_a_blocked_event_loop_cannot_starve_it() -> None:
    program = PROGRAM.format(lag=0, block="pass").replace("await asyncio.sleep(1)", "time.sleep(60)")
    done = subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, timeout=50)
    assert done.returncode == EXIT_CODE, done.stderr
    assert "event_loop_blocked" in done.stdout + done.stderr
