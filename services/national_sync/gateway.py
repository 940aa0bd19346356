"""The background gateway: pushes what is pending and tells the lanes the answers; it never writes state itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from services.chassis import logs, postgres
from services.chassis.errors import Transient, Unhandleable
from services.chassis.message import Outgoing
from services.chassis.schemas import Schemas
from services.national_sync import metrics, queries
from services.national_sync.contracts.answers import answer_told
from services.national_sync.contracts.fields import NationalFields
from services.national_sync.domain.inputs import Answer
from services.national_sync.domain.mapping import ItemMapping, Unmappable
from services.national_sync.platform_client import PlatformClient, Told
from services.national_sync.queries import BATCH, Looked, Push, PushId

TELL_AGAIN_MS = 60_000
IDLE_S = 0.25
LONGEST_PAUSE_S = 10.0
ONLY_ONE = 20170902  # of several worker processes one pushes; should two ever do, the idempotency key makes it harmless

Tell = Callable[[list[Outgoing]], Awaitable[None]]


class Ledger(Protocol):
    """What the gateway may read."""

    def turn(self) -> AbstractAsyncContextManager[bool]: ...
    async def look(self, told: Collection[PushId]) -> Looked: ...


class StoredLedger:
    """The ledger in the service's own database."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[bool]:
        """True while this process is the one that pushes; the lock ends with its connection."""
        with postgres.told_apart():
            async with (
                self._pool.acquire(timeout=postgres.CONNECT_S) as connection,
                postgres.answering(self._pool, connection),
            ):
                mine = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", ONLY_ONE))
                try:
                    yield mine
                finally:
                    if mine and not connection.is_closed():
                        await connection.execute("SELECT pg_advisory_unlock($1)", ONLY_ONE)

    async def look(self, told: Collection[PushId]) -> Looked:
        """What waits, what of the told is not known to be applied yet, and how old the oldest is."""
        async with postgres.transaction(self._pool) as tx:
            return await queries.look(tx, told)


class Gateway:
    """Select, map, push, tell; a failed push is told as such and comes back after a pause that `decide` chooses."""

    def __init__(
        self,
        ledger: Ledger,
        client: PlatformClient,
        mappings: Mapping[str, ItemMapping],
        schemas: Schemas,
        tell: Tell,
        clock_ms: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._mappings = mappings
        self._schemas = schemas
        self._fields = NationalFields(schemas, mappings)
        self._tell = tell
        self._clock_ms = clock_ms
        self._told: dict[PushId, int] = {}

    async def run(self) -> None:
        """For ever; whatever is away, wait and go on."""
        pause = IDLE_S
        async with self._client:
            while True:
                try:
                    pushed, well = await self._one_turn()
                except Transient as trouble:
                    logs.log("gateway_waits", why=str(trouble.args[:1]))
                    pushed, well = 0, False
                pause = IDLE_S if well else min(pause * 2, LONGEST_PAUSE_S)
                await asyncio.sleep(0 if well and pushed == BATCH else pause)

    async def _one_turn(self) -> tuple[int, bool]:
        async with self._ledger.turn() as mine:
            return await self.push_once() if mine else (0, True)

    async def push_once(self) -> tuple[int, bool]:
        """One batch: how many records, and whether the platform was there."""
        found = await self._look()
        metrics.OLDEST_PENDING.set(found.oldest_seconds)
        pushes = found.pushes
        if not pushes:
            return 0, True
        await self._schemas.resolve(push.submission for push in pushes)
        answers = await self._push(pushes)
        now_ms = self._clock_ms()
        await self._tell([self._answer(push, told, now_ms) for push, told in zip(pushes, answers, strict=True)])
        metrics.count_answers((told.verdict, told.code) for told in answers)
        for push in pushes:
            self._told[push.record_id, push.version, push.attempt] = now_ms
        return len(pushes), not all(told.verdict == "TRANSIENT" for told in answers)

    async def _look(self) -> Looked:
        """Look at the ledger, and forget what was applied; what is not applied after a minute is pushed again."""
        since = self._clock_ms() - TELL_AGAIN_MS
        recent = {push: at for push, at in self._told.items() if at > since}
        found = await self._ledger.look(recent.keys())
        self._told = {push: at for push, at in recent.items() if push in found.told}
        return found

    async def _push(self, pushes: Sequence[Push]) -> list[Told]:
        """What cannot be mapped is answered here; the rest goes out as one batch."""
        ready = [self._record(push) for push in pushes]
        sent = [record for record in ready if not isinstance(record, Told)]
        heard = iter(await self._client.push(sent) if sent else [])
        return [record if isinstance(record, Told) else next(heard) for record in ready]

    def _record(self, push: Push) -> dict[str, Any] | Told:
        mapping = self._mappings[push.item]
        record_id = push.record_id.hex()
        record: dict[str, Any] = {
            "key": f"{record_id}:{push.version}",
            "record_id": record_id,
            "version": push.version,
            "dataset": mapping.dataset,
            "vintage": mapping.vintage,
            "item": push.item,
            "action": push.action,
        }
        if push.action == "delete":
            return record
        try:
            record["fields"] = self._fields.of(push.item, push.submission)
        except Unmappable as fault:
            return Told("REFUSED", "UNMAPPABLE", str(fault))
        except Unhandleable as trouble:
            # An unknown schema may become known; what cannot be read will never be.
            unknown = trouble.code == "SCHEMA_UNKNOWN"
            return Told("TRANSIENT", trouble.code, "") if unknown else Told("REFUSED", "UNMAPPABLE", trouble.code)
        return record

    def _answer(self, push: Push, told: Told, now_ms: int) -> Outgoing:
        answer = Answer(push.record_id, push.version, push.attempt, push.action, *told, now_ms)
        return answer_told(self._schemas, answer)
