"""An end has its limit, whatever it is that does not end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from services.chassis import ending, logs
from services.chassis.ending import Ending, unless


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was left behind; there is hardly any time."""
    found: list[object] = []
    for name in ("LIMIT_S", "TURN_S", "STEP_S", "LEAST_S"):
        monkeypatch.setattr(ending, name, 0.05)
    monkeypatch.setattr(logs, "warn", lambda _, **said: found.append(said["what"]))
    return found


async def for_ever() -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def open_door(closed: list[str], close: Callable[[], object]) -> AsyncGenerator[str]:
    yield "open"
    close()
    await asyncio.Event().wait()
    closed.append("never")


async def test_what_does_not_close_is_left_behind_and_the_others_are_closed(left: list[object]) -> None:
    closed: list[str] = []

    async def well() -> None:
        closed.append("well")

    async with asyncio.timeout(10), AsyncExitStack() as stack:
        end = Ending()
        stack.push_async_callback(end.put_away, "last", well)
        stack.push_async_callback(end.put_away, "consumer", for_ever, 60.0)
        door = open_door(closed, lambda: closed.append("door"))
        assert await stack.enter_async_context(end.bounded("door", door, 60.0)) == "open"
    assert (closed, left) == (["door", "well"], ["door", "consumer"])


async def test_all_steps_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now[0])
    end = Ending()
    assert end.left(ending.TURN_S) == ending.TURN_S
    now[0] += ending.TURN_S
    assert end.left(60.0) == ending.LIMIT_S - ending.TURN_S
    now[0] += 60.0
    assert end.left(60.0) == ending.LEAST_S
    steps = 4  # consumer, publisher, sender, database; the doors are cut short by then
    assert ending.LIMIT_S + (steps + 1) * ending.LEAST_S < 10


async def test_a_turn_that_does_not_end_is_cut_short(left: list[object]) -> None:
    async with asyncio.timeout(10):
        turning, other = asyncio.create_task(for_ever()), asyncio.create_task(for_ever())
        await Ending().finish(turning, [other])
    assert turning.cancelled() and other.cancelled()
    assert left == ["turn"]


async def test_a_turn_that_ends_is_not(left: list[object]) -> None:
    turning = asyncio.create_task(asyncio.sleep(0))
    await Ending().finish(turning, [])
    assert turning.done() and not turning.cancelled() and not left


async def test_a_start_that_waits_for_a_broker_ends_with_the_process() -> None:
    stop = asyncio.Event()
    trying = asyncio.ensure_future(_exit_of(stop))
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(10):
        assert await trying == 0


async def _exit_of(stop: asyncio.Event) -> object:
    with pytest.raises(SystemExit) as end:
        await unless(stop, for_ever)
    return end.value.code


async def test_a_start_that_succeeds_or_fails_says_so() -> None:
    async def five() -> int:
        return 5

    async def fail() -> int:
        raise ZeroDivisionError

    assert await unless(asyncio.Event(), five) == 5
    with pytest.raises(ZeroDivisionError):
        await unless(asyncio.Event(), fail)
