"""Takes over the lanes that the consumer group has given to this process, once the group has said so again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.chassis import breaker, lanes, membership, outbox, parking
from services.chassis.crashpoints import crashpoint
from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.chassis.holding import Holding
from services.chassis.lanes import Lane, LaneId
from services.chassis.membership import Grant
from services.chassis.surroundings import Surroundings
from services.chassis.writing import Writer

RESTORED = (
    "the group was shown more than this store holds: restore it together with its write-ahead log, or rebuild it with "
    "`credit replay` from a store whose journal is whole; then start the service again"
)


class Claims:
    """`open` are the lanes that this process was given and has not taken over yet, or not since the last trouble."""

    def __init__(self, around: Surroundings, consumer: Any, holding: Holding, writer: Writer) -> None:
        self.open: set[LaneId] = set()
        self._around = around
        self._consumer = consumer
        self._holding = holding
        self._writer = writer
        self._known: set[LaneId] = set()  # claimed by this process before

    async def ask(self) -> Grant:
        """Whether the open lanes are still this member's; raises `Transient`. Never within a turn."""
        return await membership.ask(self._consumer, self.open)

    async def take(self, grant: Grant) -> None:
        """Fence the last owners, say again what they may not have said, and read from where the store stands."""
        async with self._around.transaction() as tx:
            behind = lanes.behind(self._reached(grant), await lanes.next_offsets(tx))
            claimed = [] if behind else await self._claim(tx, grant)
            backlog = [w for lane in claimed for w in await outbox.unpublished(tx, lane)]
        if behind:
            self._refuse(grant, behind)
        else:
            await self._take_up(grant, claimed, backlog)
        self.open -= grant.lanes

    def _reached(self, grant: Grant) -> dict[LaneId, int]:
        """What the group was shown, and what this process has seen committed since."""
        mine = {lane.id: lane.next_offset for lane in self._holding.lanes.values()}
        return {lane: max(grant.shown.get(lane, 0), mine.get(lane, 0)) for lane in grant.shown.keys() | mine}

    async def _claim(self, tx: Transaction, grant: Grant) -> list[Lane]:
        await outbox.open_months(tx, self._around.clock_ms())
        self._writer.origin_ids = await lanes.all_origins(tx)
        claimed = await lanes.claim(tx, grant.lanes, self._writer.origin_ids, self._known)
        if grant.expired():
            # Frozen since the group was asked: another member may own the lanes. Not from here on: whoever claims waits
            # for these rows, and the server ends a transaction that is idle for half a session.
            raise Transient("group", "GrantExpired")
        self._writer.incarnation = await tx.fetchval("SELECT number FROM incarnation")
        self._holding.broken |= await breaker.broken(tx, grant.lanes)
        for lane in claimed:
            lane.parked = await parking.keys(tx, lane.id)
            if lane.next_offset < 0:
                await lanes.begin_at(tx, lane, grant.first[lane.id])
        return claimed

    async def _take_up(self, grant: Grant, claimed: Sequence[Lane], backlog: Sequence[outbox.Written]) -> None:
        self._known |= grant.lanes
        crashpoint("cp10")
        await self._catch_up(backlog)
        for lane in claimed:
            self._holding.take_up(lane, grant.first[lane.id])
        self._around.observer.event("lanes_claimed", lanes=len(claimed), republished=len(backlog))

    def _refuse(self, grant: Grant, behind: Sequence[LaneId]) -> None:
        """This store has forgotten what it has said: all that it decides anew would be dropped by who has heard it.

        All lanes, not only those that are behind: timers say things without moving an offset.
        """
        first = behind[0]
        self._around.observer.event(
            "store_restored", topic=first.topic, partition=first.partition, lanes=len(behind), reason=RESTORED
        )
        for place in sorted(grant.lanes):
            self._holding.refuse(place, "store_restored")

    async def _catch_up(self, backlog: Sequence[outbox.Written]) -> None:
        for written in backlog:
            self._around.observer.published(await self._around.publisher.publish(written.batches))
            written.lane.published = written.first_position + written.event_count - 1
