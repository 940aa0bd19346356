"""`python -m services.<service> replay [verify]`: rebuild the store in the database `CREDIT_REPLAY_DSN`, then compare.

Says how far it is as JSON lines: `{"turns", "of", "messages"}` while it works, `{"table", "live", "replayed"}` for
every table, `{"equal", "turns", "messages", "seconds", "left_out", "recalled"}` at the end. Exit code 3 when a table
differs; 1 is every other end, with one line that says why.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg

from services.chassis import kafka, logs, postgres, state_hash, turns
from services.chassis.errors import Transient
from services.chassis.handling import Service, Transaction
from services.chassis.lanes import LaneId
from services.chassis.replay import NotEmpty, rebuild
from services.chassis.runtime import Runtime, surroundings
from services.chassis.schemas import Schemas
from services.chassis.settings import Reader, Settings, url
from services.chassis.tape import Tape, Torn

TARGET = "CREDIT_REPLAY_DSN"
TELL_EVERY = 100  # turns
DIFFERS = 3
# A rebuild that is cut short is begun again: it needs no commit on disk.
UNSYNCED = "?synchronous_commit=off"
PATIENT = {"idle_in_transaction_session_timeout": "0", "statement_timeout": "0"}


def replay(build: Callable[[Runtime], Service], words: Sequence[str]) -> None:
    """The step; ends the process with one line and exit code 1 or 2 when it cannot be done."""
    settings = Settings.from_environment()
    logs.configure(settings)
    reader = Reader(settings.environment)
    target = replace(settings, postgres_dsn=f"{reader.read(TARGET, url)}")
    reader.finish()
    try:
        equal = asyncio.run(_replay(settings, target, build, verify="verify" in words))
    except Torn as torn:
        raise SystemExit(f"{settings.service}: {torn}: this part of the store cannot be replayed") from None
    except NotEmpty:
        raise SystemExit(
            f"{settings.service}: the database to rebuild into is not empty; give it an empty one"
        ) from None
    except Transient as trouble:
        raise SystemExit(f"{settings.service}: {trouble.args[0]} is away; start it and try again") from None
    raise SystemExit(0 if equal else DIFFERS)


async def _replay(settings: Settings, target: Settings, build: Callable[[Runtime], Service], verify: bool) -> bool:
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        schemas = await stack.enter_async_context(Schemas(settings.registry, settings.avro))
        await schemas.register_all()
        pool = await postgres.open_pool(replace(target, postgres_dsn=target.postgres_dsn + UNSYNCED))
        stack.push_async_callback(pool.close)
        runtime = Runtime(target, pool, schemas)
        service = build(runtime)
        live = await stack.enter_async_context(snapshot(settings))
        recalled = service.recall(live) if service.recall else dict[str, int]
        count = await turns.count(live)
        tape = Tape(kafka.reader_settings(settings), await _lanes(live))
        taken = 0
        if count and not verify:
            async with tape:
                tell = _teller(count)
                moments: Any = await live.fetchrow("SELECT min(now_ms), max(now_ms) FROM turns")
                around = surroundings(runtime, service)
                stack.push_async_callback(around.publisher.stop)
                taken = await rebuild(around, tape, turns.all_turns(live), moments, tell)
        rebuilt = await stack.enter_async_context(snapshot(target))
        equal = await _compare(live, rebuilt, service.unreplayed)
        await runtime.close()
    left_out = sorted(state_hash.LEFT_OUT | service.unreplayed)
    took = {"turns": count, "messages": taken, "seconds": round(time.monotonic() - started, 1)}
    _say(equal=equal, **took, left_out=left_out, recalled=recalled())
    return equal


@asynccontextmanager
async def snapshot(settings: Settings) -> AsyncGenerator[Transaction]:
    """One moment of a store, for as long as it takes to read it."""
    arguments = postgres.connection_settings(settings)
    arguments["server_settings"] |= PATIENT
    with postgres.told_apart():
        connection: asyncpg.Connection[Any] = await asyncpg.connect(**arguments)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        finally:
            await connection.close()


async def _lanes(tx: Transaction) -> list[LaneId]:
    rows = await tx.fetch("SELECT topic, partition FROM lanes WHERE next_offset >= 0 ORDER BY topic, partition")
    return [LaneId(row["topic"], row["partition"]) for row in rows]


async def _compare(live: Transaction, rebuilt: Transaction, left_out: frozenset[str]) -> bool:
    one, other = await asyncio.gather(state_hash.hashes(live, left_out), state_hash.hashes(rebuilt, left_out))
    if one.get("outbox") != other.get("outbox"):
        one["outbox"], other["outbox"] = await asyncio.gather(state_hash.said(live), state_hash.said(rebuilt))
    for table in sorted(one.keys() | other.keys()):
        _say(table=table, live=one.get(table), replayed=other.get(table))
    return one == other


def _teller(of: int) -> Callable[[int, int], None]:
    def tell(done: int, taken: int) -> None:
        if done % TELL_EVERY == 0 or done == of:
            _say(turns=done, of=of, messages=taken)

    return tell


def _say(**said: object) -> None:
    fields: Mapping[str, object] = said
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()
