"""Submissions: the aggregate that they concern is a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.errors import Transient
from services.chassis.handling import Transaction
from services.chassis.message import Outgoing, Timer
from services.ingestion import metrics
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.sealing import Sealer, Unsealed
from services.ingestion.domain import feed, record
from services.ingestion.domain.events import RecordEvent, SubmissionRefused
from services.ingestion.domain.feed import Counts, Place, Shown
from services.ingestion.domain.person import Document, PersonKey
from services.ingestion.domain.record import UNKNOWN, Record
from services.ingestion.domain.submission import RecordKey, Submission, record_key
from services.ingestion.store import feeds, records


async def nobody(documents: Sequence[Document]) -> Mapping[Document, PersonKey]:
    """Where identity is not to be reached: persons wait."""
    raise Transient("identity", "no key service is configured")


NO_KEYS = Sealer(nobody)


def none_shown(item: str) -> bool:
    """Nothing has to be public."""
    return False


class Records:
    """Submissions -> records. Every submission gets one event and so one receipt."""

    name = "record"

    def __init__(self, speaker: Speaker, shown: Shown = none_shown, sealer: Sealer = NO_KEYS) -> None:
        self._speaker, self._shown, self._sealer = speaker, shown, sealer
        self._told: list[tuple[RecordEvent, Submission]] = []  # of this batch
        self._sealed: dict[int, Submission] = {}  # of this batch: what is said of persons leaves sealed or not at all

    def key(self, given: Submission) -> RecordKey:
        return record_key(given)

    def _leaving(self, given: Submission) -> Submission:
        return self._sealed[id(given)] if isinstance(given.ahead, Unsealed) else given

    async def load(self, tx: Transaction, given: Sequence[Submission]) -> dict[RecordKey, Record]:
        self._told = []
        self._sealed = await self._sealer.seal(given)
        return await records.load(tx, [record_key(g) for g in given if not g.faults])

    def initial(self, key: RecordKey) -> Record:
        return UNKNOWN

    def decide(self, state: Record, given: Submission) -> Sequence[RecordEvent]:
        return record.decide(state, self._leaving(given))

    def evolve(self, state: Record, event: RecordEvent) -> Record:
        return record.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[RecordKey, Record],
        after: Mapping[RecordKey, Record],
        events: Sequence[tuple[RecordKey, RecordEvent]],
    ) -> None:
        await records.save(tx, before, after, events)
        counted = feed.tally(self._told, self._shown)
        await feeds.add(tx, counted)
        count(counted)

    def announce(self, event: RecordEvent, given: Submission) -> Iterable[Outgoing]:
        self._told.append((event, given))
        for fault in event.faults if isinstance(event, SubmissionRefused) else given.notes:
            metrics.fault_stated(fault.code).inc()
        return self._speaker.announce(event, self._leaving(given))

    def timers(self, event: RecordEvent, given: Submission) -> Iterable[Timer]:
        return ()


def count(counted: Mapping[Place, Counts]) -> None:
    """Tell the metrics of the receipts of a batch, and of the hops that were late."""
    for place, counts in counted.items():
        outcomes = {"ACCEPTED": counts.accepted, "DUPLICATE": counts.duplicate, "REFUSED": counts.refused}
        for outcome, times in outcomes.items():
            if times:
                metrics.receipt_given(outcome, place.item).inc(times)
        for hop, times in (("unit", counts.late_unit), ("agency", counts.late_agency)):
            if times:
                metrics.hop_late(place.agency, place.item, hop).inc(times)
