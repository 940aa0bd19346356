"""The background gateway: pushes what is pending and tells the lanes the answers; it never writes state itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from services.chassis import logs
from services.chassis.errors import Transient, Unhandleable
from services.chassis.message import Outgoing
from services.chassis.publishing import Ends
from services.chassis.schemas import Schemas
from services.national_sync import metrics
from services.national_sync.contracts.answers import answer_told
from services.national_sync.contracts.fields import NationalFields
from services.national_sync.domain.inputs import Answer
from services.national_sync.domain.mapping import ItemMapping, Unmappable
from services.national_sync.ledger import Ledger
from services.national_sync.platform_client import PlatformClient, Told
from services.national_sync.queries import BATCH, Looked, Push, PushId, Telling

TELL_AGAIN_MS = 60_000
IDLE_S = 0.25
LONGEST_PAUSE_S = 10.0

Tell = Callable[[list[Outgoing]], Awaitable[Ends]]


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
        self._told: list[Telling] = []
        self._apart: dict[PushId, int] = {}  # read by the lanes, and pending nevertheless: since when

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
        ends = await self._tell([self._answer(push, told, now_ms) for push, told in zip(pushes, answers, strict=True)])
        self._told.append(Telling(frozenset(push.id for push in pushes), ends, now_ms))
        metrics.count_answers((told.verdict, told.code) for told in answers)
        return len(pushes), not all(told.verdict == "TRANSIENT" for told in answers)

    async def _look(self) -> Looked:
        """Look at the ledger, and forget what was read; what is pending after a minute all the same is pushed again.

        An answer that was parked, or did not count, leaves its record pending: without a pause it would be pushed in
        every turn.
        """
        now_ms = self._clock_ms()
        told = [telling for telling in self._told if telling.at_ms > now_ms - TELL_AGAIN_MS]
        self._apart = {push: at for push, at in self._apart.items() if at > now_ms - TELL_AGAIN_MS}
        found = await self._ledger.look(told, self._apart)
        read = _pushes(told) - _pushes(found.told)
        self._told = found.told
        self._apart |= {push.id: now_ms for push in found.pushes if push.id in read}
        return found._replace(pushes=[push for push in found.pushes if push.id not in read])

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


def _pushes(told: Iterable[Telling]) -> set[PushId]:
    return {push for telling in told for push in telling.pushes}
