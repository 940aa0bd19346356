"""A timer, or a parked message released too early, that ends its process: on the real broker, registry and database."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from deploy.local import postgres
from deploy.local.layout import REPO
from services.chassis.commands import COMMAND, command_topic, outcome_topic, written
from services.chassis.schemas import Schemas
from tests.support.stack import LEDGER, Stack, eventually, ledger, ledger_environment, migrate_ledger

NAME = "clockwork"  # the test service under another name: nothing but its turns has written into its store
IN = f"{NAME}.in.v1"


@pytest.fixture(scope="module")
def clockwork(stack: Stack) -> Stack:
    """The stack with the service's database and topics."""
    migrate_ledger(stack, NAME)
    stack.make_topics(IN, f"{NAME}.out.v1", command_topic(NAME), outcome_topic(NAME), partitions=1)
    return stack


def outlived(stack: Stack, stay: ExitStack, check: Callable[[], Any]) -> int:
    """Start processes until one lives to see it, and let that one live on; how many have died of it."""
    for deaths in range(9):
        with ExitStack() as life:
            process = life.enter_context(ledger(stack, name=NAME))
            eventually(lambda p=process: p.poll() is not None or check(), "dead or there")
            if process.poll() is None:
                stay.push(life.pop_all())
                return deaths
    raise AssertionError("none has lived to see it")


def order(stack: Stack, kind: str, place: tuple[str, int, int]) -> None:
    """An operator's command about a parked message."""

    async def encoded() -> bytes:
        async with Schemas(stack.layout.registry_url) as schemas:
            await schemas.register(COMMAND, f"{COMMAND}-value")
            arguments = json.dumps({"places": [place]})
            now_ms = time.time_ns() // 1_000_000
            return written(schemas, secrets.token_hex(8), f"{kind}_parked", "operator", now_ms, arguments)

    stack.send(command_topic(NAME), [(b"parked", asyncio.run(encoded()))])


def step(stack: Stack, *words: str, **more: str) -> list[dict[str, Any]]:
    """What a command of the mended service prints."""
    environment = ledger_environment(stack.layout, NAME) | {"LEDGER_MENDED": "1"} | more
    done = subprocess.run([*LEDGER, *words], env=environment, cwd=REPO, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def parked(stack: Stack, key: bytes) -> list[tuple[int, str, bool]]:
    """Place, code, and whether it is released, of what is parked under a key."""
    asked = 'SELECT "offset", code, released_at IS NOT NULL AS free FROM parked WHERE key = $1 ORDER BY "offset"'
    return [(row["offset"], row["code"], row["free"]) for row in stack.sql(NAME, asked, key)]


def totals(stack: Stack, *keys: bytes) -> dict[bytes, int]:
    """What has been applied of these keys."""
    rows = stack.sql(NAME, "SELECT key, total FROM ledger WHERE key = ANY($1)", list(keys))
    return {row["key"]: row["total"] for row in rows}


def rebuilt(stack: Stack) -> dict[str, Any]:
    """The store made anew from topics and journal, and compared."""
    replica = f"{NAME}_replay"
    target = stack.layout.database(NAME).removesuffix(NAME) + replica
    postgres.make_empty(stack.layout, NAME, replica)
    step(stack, "migrate", CREDIT_POSTGRES_DSN=target)
    return step(stack, "replay", CREDIT_REPLAY_DSN=target)[-1]


def test_a_timer_that_crashes_the_service_is_parked_after_three_crashes_and_released_once_mended(
    clockwork: Stack,
) -> None:
    mark = b"-%d-%s" % (os.getpid(), secrets.token_hex(4).encode())
    bad, good = b"bad" + mark, [b"good-%d" % n + mark for n in range(3)]
    fired = dict.fromkeys(good, 98)
    clockwork.send(IN, [(good[0], b"-2"), (bad, b"-4"), (good[1], b"-2"), (good[2], b"-2")])
    with ExitStack() as living:
        assert outlived(clockwork, living, lambda: parked(clockwork, bad)) == 3
        ((place, code, free),) = parked(clockwork, bad)
        assert (code, free) == ("CRASHED", False)
        eventually(lambda: totals(clockwork, *good) == fired, "the others have fired")
        clockwork.send(IN, [(bad, b"3"), (good[0], b"2")])
        eventually(lambda: totals(clockwork, good[0]) == {good[0]: 100}, "the lane goes on")
        (behind,) = [one[0] for one in parked(clockwork, bad) if one[0] >= 0]
    (told,) = [line for line in step(clockwork, "parked") if line["place"] == f"{IN}/0/{place}"]
    assert (told["timer"], told["code"], told["state"]) == ("interest", "CRASHED", "PARKED")
    (shown,) = step(clockwork, "parked", told["place"])
    assert "ZeroDivisionError: a planted bug" in shown["detail"]

    order(clockwork, "release", (IN, 0, place))  # too early
    again = [(place, "CRASHED", False), (behind, "BEHIND_PARKED", False)]
    since = clockwork.sql(NAME, 'SELECT parked_at FROM parked WHERE key = $1 AND "offset" < 0', bad)[0][0]
    asked = 'SELECT FROM parked WHERE key = $1 AND "offset" < 0 AND parked_at > $2'
    with ExitStack() as living:
        assert outlived(clockwork, living, lambda: clockwork.sql(NAME, asked, bad, since)) >= 2
        assert parked(clockwork, bad) == again

    order(clockwork, "release", (IN, 0, place))
    with ledger(clockwork, name=NAME, mended=True):
        eventually(lambda: totals(clockwork, bad) == {bad: -4 - 1 + 3}, "released to its handler, then what was behind")
        assert parked(clockwork, bad) == []
    limits = clockwork.sql(NAME, "SELECT due_limit FROM turns WHERE culprit <> ''")
    assert {row["due_limit"] for row in limits} == {1}
    assert rebuilt(clockwork)["equal"] is True
