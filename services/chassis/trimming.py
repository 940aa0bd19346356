"""Deletes from topics what this service's lanes have read: for topics that must not keep what was said on them.

What is deleted was committed here at least `keep_s` ago, so that a store put back from a backup of that age finds its
messages still; one put back from an older backup stops at the gap and names the lane, it never goes on with a hole.
The broker answers no reader below the new beginning at once; the bytes leave its disk with their segment.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from services.chassis import kafka, logs, postgres
from services.chassis.errors import Transient
from services.chassis.lanes import LaneId
from services.chassis.settings import Settings

EVERY_S = 60.0
COMMITTED = "SELECT topic, partition, next_offset FROM lanes WHERE topic = ANY($1::text[]) AND next_offset > 0"

Offsets = Mapping[LaneId, int]
Delete = Callable[[Offsets], Awaitable[None]]


class Trimmer:
    """Looks once a minute; `topics` says which topics are to be trimmed now. To trim again what is gone does no harm,
    so two processes of a service need not agree.
    """

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        delete: Delete,
        topics: Callable[[], Awaitable[Collection[str]]],
        keep_s: float,
        clock_s: Callable[[], float],
    ) -> None:
        self._pool, self._delete, self._topics = pool, delete, topics
        self._keep_s, self._clock_s = keep_s, clock_s
        self._seen: deque[tuple[float, Offsets]] = deque()  # what was committed when, the oldest first
        self._trimmed: dict[LaneId, int] = {}

    async def run(self) -> None:
        """For the service's background."""
        while True:
            try:
                await self.look()
            except Transient as trouble:
                logs.log("trimming_waits", what=str(trouble.args[:1]))
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Note what is committed now, delete what was committed long enough ago; raises `Transient`."""
        topics = sorted(await self._topics())
        if topics:
            self._seen.append((self._clock_s(), await self._committed(topics)))
        old: Offsets = {}
        while self._seen and self._seen[0][0] <= self._clock_s() - self._keep_s:
            old = self._seen.popleft()[1]
        due = {lane: offset for lane, offset in old.items() if offset > self._trimmed.get(lane, 0)}
        if due:
            await self._delete(due)
            self._trimmed |= due
            logs.log("trimmed", lanes=len(due))

    async def _committed(self, topics: Collection[str]) -> Offsets:
        async with postgres.transaction(self._pool) as tx:
            rows = await tx.fetch(COMMITTED, list(topics))
        return {LaneId(row["topic"], row["partition"]): row["next_offset"] for row in rows}


def deleter(settings: Settings) -> Delete:
    """Deletes at the broker everything below these offsets; raises `Transient`."""

    async def delete(offsets: Offsets) -> None:
        admin: Any = AIOKafkaAdminClient(**kafka.connection(settings))  # its types are partly unknown
        try:
            await admin.start()
            below = {TopicPartition(*lane): RecordsToDelete(offset) for lane, offset in offsets.items()}
            await admin.delete_records(below)
        except (KafkaError, OSError) as error:
            raise Transient("broker", type(error).__name__) from error
        finally:
            await admin.close()

    return delete
