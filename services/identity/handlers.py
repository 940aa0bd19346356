"""What identity consumes, and the aggregate behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from services.chassis.handling import Handler, Transaction
from services.chassis.message import Outgoing, Timer
from services.chassis.schemas import Schemas
from services.identity import contracts, metrics, store
from services.identity.domain import cluster, linking
from services.identity.domain.cluster import Cluster
from services.identity.domain.events import (
    AliasContested,
    Event,
    RecordHeld,
    RecordLinked,
    RecordOvertaken,
    RecordSeen,
    RecordSuperseded,
    SubjectChanged,
)


class Clusters:
    """What the records of a batch can touch together; sets that have nothing in common are clusters of their own."""

    name = "cluster"

    def __init__(self, schemas: Schemas, reader: contracts.Reader) -> None:
        self._schemas = schemas
        self._reader = reader
        self._cluster_of: dict[bytes, bytes] = {}  # of this batch: a record's cluster is known once all are loaded

    def key(self, given: RecordSeen) -> bytes:
        return self._cluster_of.get(given.record_id, given.record_id)

    async def load(self, tx: Transaction, given: Sequence[RecordSeen]) -> dict[bytes, Cluster]:
        self._cluster_of, clusters = await store.load(tx, await self._complete(given), self._read_held)
        return clusters

    async def _read_held(self, bodies: Sequence[bytes]) -> Sequence[RecordSeen]:
        return await self._complete([self._reader.read_body(body, 0) for body in bodies])

    async def _complete(self, seen: Sequence[RecordSeen]) -> Sequence[RecordSeen]:
        """The loop resolves the schemas of messages, not of the submissions inside them: that is done here."""
        await self._schemas.resolve([self._reader.submission(one) for one in seen])
        return [self._reader.complete(one) for one in seen]

    def initial(self, key: bytes) -> Cluster:
        return cluster.EMPTY

    def decide(self, state: Cluster, given: RecordSeen) -> Sequence[Event]:
        return linking.decide(state, self._reader.complete(given))

    def evolve(self, state: Cluster, event: Event) -> Cluster:
        return cluster.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[bytes, Cluster],
        after: Mapping[bytes, Cluster],
        events: Sequence[tuple[bytes, Event]],
    ) -> None:
        await store.save(tx, before, after, events)
        count([event for _, event in events])

    def announce(self, event: Event, given: RecordSeen) -> Iterable[Outgoing]:
        if isinstance(event, RecordLinked):
            yield contracts.record_linked(self._schemas, event)
        elif isinstance(event, SubjectChanged):
            yield contracts.subject_changed(self._schemas, event)

    def timers(self, event: Event, given: RecordSeen) -> Iterable[Timer]:
        return ()


def count(events: Sequence[Event]) -> None:
    """Tell the metrics of a batch."""
    for rule, times in Counter(event.link.rule for event in events if isinstance(event, RecordLinked)).items():
        metrics.linked_by(rule).inc(times)
    for event in events:
        if isinstance(event, RecordLinked):
            if event.released:
                metrics.RELEASED.labels("linked").inc()
        elif isinstance(event, SubjectChanged):
            metrics.subject_said(event.change).inc()
        elif isinstance(event, RecordHeld):
            metrics.HELD.labels(event.held.reason).inc()
        elif isinstance(event, RecordSuperseded):
            metrics.RELEASED.labels("superseded").inc()
        elif isinstance(event, RecordOvertaken):
            metrics.OVERTAKEN.inc()
        elif isinstance(event, AliasContested):
            metrics.CONTESTED.inc()


def handlers(schemas: Schemas, reader: contracts.Reader) -> tuple[Handler, ...]:
    """The table of what is consumed."""
    return (Handler(contracts.ACCEPTED, Clusters(schemas, reader), reader.read),)
