"""What identity consumes, and the aggregate behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from services.chassis.handling import Handler, Transaction
from services.chassis.message import Outgoing, Timer
from services.chassis.schemas import Schemas
from services.identity import metrics, store
from services.identity.contracts import orders, records, telling
from services.identity.domain import cluster, deciding
from services.identity.domain.cluster import Cluster
from services.identity.domain.deciding import Input
from services.identity.domain.events import (
    Event,
    RecordHeld,
    RecordLinked,
    RecordMoved,
    RecordOvertaken,
    RecordSuperseded,
    RecordUnlinked,
    RelationBegan,
    RelationEnded,
)
from services.identity.domain.order_events import OrderAnswered, RecordRejected
from services.identity.domain.records import RecordSeen
from services.identity.domain.subject_events import AliasContested, SubjectChanged
from services.identity.store.rates import FAULTY


class Clusters:
    """What the records of a batch can touch together; sets that have nothing in common are clusters of their own."""

    name = "cluster"

    def __init__(self, schemas: Schemas, reader: records.Reader) -> None:
        self._schemas = schemas
        self._reader = reader
        self._cluster_of: dict[bytes, bytes] = {}  # of this batch: a record's cluster is known once all are loaded

    def key(self, given: Input) -> bytes:
        own = given.record_id if isinstance(given, RecordSeen) else given.order.command_id.encode()
        return self._cluster_of.get(own, own)

    async def load(self, tx: Transaction, given: Sequence[Input]) -> dict[bytes, Cluster]:
        seen = await self._complete([one for one in given if isinstance(one, RecordSeen)])
        orders = [one for one in given if not isinstance(one, RecordSeen)]
        self._cluster_of, clusters = await store.load(tx, seen, orders, self._read_held)
        return clusters

    async def _read_held(self, bodies: Sequence[bytes]) -> Sequence[RecordSeen]:
        held = await self._complete([self._reader.read_body(body, 0) for body in bodies])
        return [self._reader.with_holder(one) for one in held]

    async def _complete(self, seen: Sequence[RecordSeen]) -> Sequence[RecordSeen]:
        """The loop resolves the schemas of messages, not of the submissions inside them: that is done here."""
        await self._schemas.resolve([self._reader.submission(one) for one in seen])
        return [self._reader.complete(one) for one in seen]

    def initial(self, key: bytes) -> Cluster:
        return cluster.EMPTY

    def decide(self, state: Cluster, given: Input) -> Sequence[Event]:
        if isinstance(given, RecordSeen):
            given = self._reader.with_holder(self._reader.complete(given))
        return deciding.decide(state, given)

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

    def announce(self, event: Event, given: Input) -> Iterable[Outgoing]:
        if isinstance(event, RecordLinked):
            yield telling.record_linked(self._schemas, event)
            if event.link_no:
                yield telling.linked_again(self._schemas, event)
        elif isinstance(event, SubjectChanged):
            yield telling.subject_changed(self._schemas, event)
        elif isinstance(event, RecordMoved):
            yield telling.record_moved(self._schemas, event)
        elif isinstance(event, RecordUnlinked):
            yield telling.record_unlinked(self._schemas, event)
        elif isinstance(event, OrderAnswered):
            yield from orders.answered(self._schemas, event)

    def timers(self, event: Event, given: Input) -> Iterable[Timer]:
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
            if event.held.reason in FAULTY:
                metrics.FAULTY.labels(("unmapped", "wrong", "duplicate")[FAULTY[event.held.reason] - 1]).inc()
        elif isinstance(event, RecordSuperseded):
            metrics.RELEASED.labels("superseded").inc()
        elif isinstance(event, RecordRejected):
            metrics.RELEASED.labels("rejected").inc()
        elif isinstance(event, RecordOvertaken):
            metrics.OVERTAKEN.inc()
        elif isinstance(event, RecordMoved):
            metrics.MOVED.labels(event.cause).inc()
        elif isinstance(event, RecordUnlinked):
            metrics.MOVED.labels("MAPPING_CHANGED").inc()
        elif isinstance(event, OrderAnswered):
            metrics.ORDERS.labels(event.order.type, "refused" if event.faults else "done").inc()
        elif isinstance(event, RelationBegan):
            metrics.RELATIONS.labels("BEGAN").inc()
        elif isinstance(event, RelationEnded):
            metrics.RELATIONS.labels(event.ended_as).inc()
        elif isinstance(event, AliasContested):
            metrics.CONTESTED.inc()


def handlers(schemas: Schemas, reader: records.Reader, order: orders.OrderReader) -> tuple[Handler, ...]:
    """The table of what is consumed; one aggregate, since all of it touches the same subjects and records."""
    clusters = Clusters(schemas, reader)
    return (
        Handler(records.ACCEPTED, clusters, reader.read),
        Handler("command:merge_subjects", clusters, order.merge),
        Handler("command:unmerge_subjects", clusters, order.unmerge),
        Handler("command:judge_subjects", clusters, order.judge),
        Handler("command:claim_review", clusters, order.claim),
        Handler("command:decide_review", clusters, order.decide),
    )
