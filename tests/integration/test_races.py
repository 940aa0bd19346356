"""Two lanes at one aggregate at once, on the real database: what the store guards, without the loop around it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Any

import asyncpg
import pytest

from deploy.local import passwords, postgres
from deploy.local.layout import Layout
from services.cli import programs
from services.sanctions import store
from services.sanctions.config import load_memoranda
from services.sanctions.domain.deciding import decide, task_id_of
from services.sanctions.domain.events import Event, FeedbackAnswered, Subject, TaskChanged
from services.sanctions.domain.inputs import Feedback, Input, RecordSeen
from services.sanctions.domain.joint_action import JointAction, evolve
from tests.support.stack import Stack

DATABASE = "sanctions_races"
RECORD, TODAY = b"R" * 16, date(2017, 11, 24)
MEMORANDUM = load_memoranda()["court-defaulter"]
DEPARTMENTS = {department for measure in MEMORANDUM.measures for department in measure.departments}
SUBJECT = Subject(b"S" * 16, "91420100MA4KLM0N5H", "演示武汉甲贸易有限公司")
LISTED = RecordSeen(RECORD, 1, "report", "org", SUBJECT, MEMORANDUM, TODAY, 1000)
WITHDRAWN = replace(LISTED, version=2, action="withdraw")
TASK = task_id_of(RECORD, "honour-restriction", "420000-hbt")
FEEDBACK = Feedback("fb-1", TASK, "420000-hbt", "420000-hbt", "executed", TODAY, TODAY, 2000)


@pytest.fixture
def database(stack: Stack) -> Iterator[Layout]:
    """A store of sanctions in which no worker has a lane."""
    layout = stack.layout
    postgres.make_empty(layout, "sanctions", DATABASE)
    for _ in programs.lines(layout, "sanctions", ["migrate"], {"CREDIT_POSTGRES_DSN": _dsn(layout)}):
        pass
    try:
        yield layout
    finally:
        postgres.drop(layout, DATABASE)


def _dsn(layout: Layout) -> str:
    return layout.database("sanctions").removesuffix("sanctions") + DATABASE


@asynccontextmanager
async def connected(layout: Layout) -> AsyncGenerator[asyncpg.Connection[Any]]:
    secret = passwords.password(layout.secrets, "sanctions")
    connection: asyncpg.Connection[Any] = await asyncpg.connect(_dsn(layout), password=secret)
    try:
        yield connection
    finally:
        await connection.close()


class Turn:
    """A lane's transaction that stops between loading and saving until it is told to go on."""

    def __init__(self, connection: asyncpg.Connection[Any], given: Input) -> None:
        self.connection, self.given = connection, given
        self.loaded, self.may_save = asyncio.Event(), asyncio.Event()

    async def run(self) -> Sequence[Event]:
        seen = isinstance(self.given, RecordSeen)
        async with self.connection.transaction():
            states = await store.load(self.connection, *(([RECORD], []) if seen else ([], [RECORD])))
            self.loaded.set()
            await self.may_save.wait()
            state: JointAction = states[RECORD]
            events = decide(state, self.given)
            after = {RECORD: reduce(evolve, events, state)}
            await store.save(self.connection, after, [(RECORD, event) for event in events], DEPARTMENTS)
        return events


async def loaded_or_waiting(turn: Turn, watcher: asyncpg.Connection[Any]) -> None:
    """Either the turn has read what it decides on, or the database makes it wait for another one."""
    asked = "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1"
    while not turn.loaded.is_set() and await watcher.fetchval(asked, turn.connection.get_server_pid()) != "Lock":
        with suppress(TimeoutError):
            await asyncio.wait_for(turn.loaded.wait(), 0.02)


@pytest.mark.parametrize("order", [(WITHDRAWN, FEEDBACK), (FEEDBACK, WITHDRAWN)], ids=["lift first", "close first"])
async def test_two_lanes_that_change_a_task_at_once_give_it_two_versions(
    database: Layout, order: tuple[Input, Input]
) -> None:
    async with connected(database) as one, connected(database) as other, connected(database) as watcher:
        opening = Turn(watcher, LISTED)
        opening.may_save.set()
        await opening.run()
        first, second = Turn(one, order[0]), Turn(other, order[1])
        async with asyncio.timeout(30), asyncio.TaskGroup() as lanes:
            running = lanes.create_task(first.run())
            await first.loaded.wait()
            behind = lanes.create_task(second.run())
            await loaded_or_waiting(second, watcher)
            first.may_save.set()
            await running
            second.may_save.set()
        told = [e for e in (*running.result(), *behind.result()) if isinstance(e, TaskChanged | FeedbackAnswered)]
        versions = Counter(e.version for e in told if e.task and e.task.task_id == TASK and e.version is not None)
        stands = await watcher.fetchrow("SELECT status, version FROM tasks WHERE task_id = $1", TASK)
    assert set(versions.values()) == {1}, "one version for two changes: no reader can tell which is the later"
    assert tuple(stands or ()) == ("LIFTED", max(versions))
