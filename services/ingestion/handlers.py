"""What ingestion consumes, and the aggregate each message concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from services.chassis.errors import Transient
from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.ingestion import metrics
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.feeds import FeedAsked, FeedReader, FeedSpeaker
from services.ingestion.contracts.reference import (
    ITEM_COMMANDS,
    AgencyAsked,
    CommandReader,
    ItemAsked,
    ReferenceSpeaker,
)
from services.ingestion.contracts.sealing import Sealer, Unsealed
from services.ingestion.contracts.submissions import SUBMIT, SubmissionReader, waiting
from services.ingestion.domain import agency, catalogue_item, expectation, faults, feed, item_deciding, record
from services.ingestion.domain.agency import Agency
from services.ingestion.domain.catalogue_item import CatalogueItem
from services.ingestion.domain.events import (
    RecordEvent,
    ReferenceEvent,
    SubmissionRefused,
)
from services.ingestion.domain.expectation import Expectation, ExpectationEvent, FeedKey
from services.ingestion.domain.feed import Counts, Place, Shown
from services.ingestion.domain.person import Document, PersonKey
from services.ingestion.domain.record import UNKNOWN, Record
from services.ingestion.domain.submission import RecordKey, Submission, record_key
from services.ingestion.store import feeds, records, reference


async def nobody(documents: Sequence[Document]) -> Mapping[Document, PersonKey]:
    """Where identity is not to be reached: persons wait."""
    raise Transient("identity", "no key service is configured")


NO_KEYS = Sealer(nobody)
ReadMany = Callable[[Sequence[Message], Moment], Sequence[Submission | None]]


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
    """Commands about catalogue items -> their life and their editions."""

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
        return item_deciding.decide(state, given.wish)

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


class Feeds:
    """Commands about feeds -> what is expected of them."""

    name = "feed"

    def __init__(self, speaker: FeedSpeaker) -> None:
        self._speaker = speaker

    def key(self, given: FeedAsked) -> FeedKey:
        return given.wish.agency, given.wish.item

    async def load(self, tx: Transaction, given: Sequence[FeedAsked]) -> dict[FeedKey, Expectation]:
        return await feeds.load_expectations(tx, [self.key(one) for one in given])

    def initial(self, key: FeedKey) -> Expectation:
        return expectation.NOTHING

    def decide(self, state: Expectation, given: FeedAsked) -> Sequence[ExpectationEvent]:
        return expectation.decide(state, given.wish, given.today, given.known)

    def evolve(self, state: Expectation, event: ExpectationEvent) -> Expectation:
        return expectation.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[FeedKey, Expectation],
        after: Mapping[FeedKey, Expectation],
        events: Sequence[tuple[FeedKey, ExpectationEvent]],
    ) -> None:
        await feeds.save_expectations(tx, {key: state for key, state in after.items() if state is not before.get(key)})

    def announce(self, event: ExpectationEvent, given: FeedAsked) -> Iterable[Outgoing]:
        return self._speaker.announce(event, given)

    def timers(self, event: ExpectationEvent, given: FeedAsked) -> Iterable[Timer]:
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
    shown: Shown = none_shown,
    sealer: Sealer = NO_KEYS,
) -> tuple[Handler, ...]:
    """The table: topic, aggregate, reader; `read_many` is the native reader of whole batches, if there is one.

    `shown` says of which items the records are published.
    """
    return (
        Handler("credit.submit.*", Records(speaker, shown, sealer), submissions.read, read_many),
        Handler("command:register_agency", Agencies(answers), commands.register_agency),
        *(Handler(f"command:{kind}", Items(answers), commands.about_item) for kind in ITEM_COMMANDS),
    )


def feed_handlers(reader: FeedReader, speaker: FeedSpeaker) -> tuple[Handler, ...]:
    """What is said about feeds."""
    return (Handler("command:expect_feed", Feeds(speaker), reader.expect_feed),)
