"""What ingestion consumes, and the aggregate each message concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from services.chassis.errors import Transient
from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.ingestion import metrics
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.reference import AgencyAsked, CommandReader, ItemAsked, ReferenceSpeaker
from services.ingestion.contracts.sealing import Sealer, Unsealed
from services.ingestion.contracts.submissions import SUBMIT, SubmissionReader, waiting
from services.ingestion.domain import agency, catalogue_item, faults, record
from services.ingestion.domain.agency import Agency
from services.ingestion.domain.catalogue_item import CatalogueItem
from services.ingestion.domain.events import (
    RecordAccepted,
    RecordEvent,
    ReferenceEvent,
    SubmissionDuplicate,
    SubmissionRefused,
)
from services.ingestion.domain.person import Document, PersonKey
from services.ingestion.domain.record import UNKNOWN, Record
from services.ingestion.domain.submission import RecordKey, Submission, record_key
from services.ingestion.store import records, reference


async def nobody(documents: Sequence[Document]) -> Mapping[Document, PersonKey]:
    """Where identity is not to be reached: persons wait."""
    raise Transient("identity", "no key service is configured")


NO_KEYS = Sealer(nobody)
ReadMany = Callable[[Sequence[Message], Moment], Sequence[Submission | None]]


class Records:
    """Submissions -> records. Every submission gets one event and so one receipt."""

    name = "record"

    def __init__(self, speaker: Speaker, sealer: Sealer = NO_KEYS) -> None:
        self._speaker, self._sealer = speaker, sealer
        self._sealed: dict[int, Submission] = {}  # of this batch: what is said of persons leaves sealed or not at all

    def key(self, given: Submission) -> RecordKey:
        return record_key(given)

    def _leaving(self, given: Submission) -> Submission:
        return self._sealed[id(given)] if isinstance(given.ahead, Unsealed) else given

    async def load(self, tx: Transaction, given: Sequence[Submission]) -> dict[RecordKey, Record]:
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

    def announce(self, event: RecordEvent, given: Submission) -> Iterable[Outgoing]:
        count(event, given)
        return self._speaker.announce(event, self._leaving(given))

    def timers(self, event: RecordEvent, given: Submission) -> Iterable[Timer]:
        return ()


class Agencies:
    """Commands about agencies -> agencies."""

    name = "agency"

    def __init__(self, speaker: ReferenceSpeaker) -> None:
        self._speaker = speaker

    def key(self, given: AgencyAsked) -> str:
        return given.wish.code

    async def load(self, tx: Transaction, given: Sequence[AgencyAsked]) -> dict[str, Agency]:
        return await reference.load_agencies(tx, [g.wish.code for g in given])

    def initial(self, key: str) -> Agency:
        return agency.NOBODY

    def decide(self, state: Agency, given: AgencyAsked) -> Sequence[ReferenceEvent]:
        return agency.decide(state, given.wish)

    def evolve(self, state: Agency, event: ReferenceEvent) -> Agency:
        return agency.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[str, Agency],
        after: Mapping[str, Agency],
        events: Sequence[tuple[str, ReferenceEvent]],
    ) -> None:
        await reference.save_agencies(tx, before, after)

    def announce(self, event: ReferenceEvent, given: AgencyAsked) -> Iterable[Outgoing]:
        return self._speaker.announce(event, given)

    def timers(self, event: ReferenceEvent, given: AgencyAsked) -> Iterable[Timer]:
        return ()


class Items:
    """Commands about catalogue items -> their editions."""

    name = "catalogue_item"

    def __init__(self, speaker: ReferenceSpeaker) -> None:
        self._speaker = speaker

    def key(self, given: ItemAsked) -> str:
        return given.wish.code

    async def load(self, tx: Transaction, given: Sequence[ItemAsked]) -> dict[str, CatalogueItem]:
        return await reference.load_items(tx, [g.wish.code for g in given])

    def initial(self, key: str) -> CatalogueItem:
        return catalogue_item.NOTHING

    def decide(self, state: CatalogueItem, given: ItemAsked) -> Sequence[ReferenceEvent]:
        return catalogue_item.decide(state, given.wish)

    def evolve(self, state: CatalogueItem, event: ReferenceEvent) -> CatalogueItem:
        return catalogue_item.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[str, CatalogueItem],
        after: Mapping[str, CatalogueItem],
        events: Sequence[tuple[str, ReferenceEvent]],
    ) -> None:
        await reference.save_items(tx, before, after)

    def announce(self, event: ReferenceEvent, given: ItemAsked) -> Iterable[Outgoing]:
        return self._speaker.announce(event, given)

    def timers(self, event: ReferenceEvent, given: ItemAsked) -> Iterable[Timer]:
        return ()


OUTCOMES = {RecordAccepted: "ACCEPTED", SubmissionDuplicate: "DUPLICATE", SubmissionRefused: "REFUSED"}


def count(event: RecordEvent, given: Submission) -> None:
    """Tell the metrics of one receipt."""
    item = given.item if given.item_version else "unknown"  # what an agency wrote is no label
    metrics.receipt_given(OUTCOMES[type(event)], item).inc()
    for fault in event.faults if isinstance(event, SubmissionRefused) else given.notes:
        metrics.fault_stated(fault.code).inc()


def tell_waiting(speaker: Speaker) -> Callable[[Message, str, Moment], Iterable[Outgoing]]:
    """The sender of a parked submission is told that it waits; a final receipt follows its release."""

    def parked(message: Message, code: str, moment: Moment) -> Iterable[Outgoing]:
        if not message.topic.startswith(SUBMIT):
            return ()
        return (speaker.receipt(waiting(message, moment.now_ms), "WAITING", ()),)

    return parked


def tell_discarded(speaker: Speaker) -> Callable[[Message, Moment], Iterable[Outgoing]]:
    """The sender of a submission that an operator has thrown away gets its final receipt."""

    def discarded(message: Message, moment: Moment) -> Iterable[Outgoing]:
        if not message.topic.startswith(SUBMIT):
            return ()
        return (speaker.receipt(waiting(message, moment.now_ms), "REFUSED", (faults.fault("DISCARDED_BY_OPERATOR"),)),)

    return discarded


def handlers(
    submissions: SubmissionReader,
    speaker: Speaker,
    commands: CommandReader,
    answers: ReferenceSpeaker,
    read_many: ReadMany | None = None,
    sealer: Sealer = NO_KEYS,
) -> tuple[Handler, ...]:
    """The table: topic, aggregate, reader; `read_many` is the native reader of whole batches, if there is one."""
    return (
        Handler("credit.submit.*", Records(speaker, sealer), submissions.read, read_many),
        Handler("command:register_agency", Agencies(answers), commands.register_agency),
        Handler("command:publish_item", Items(answers), commands.publish_item),
    )
