"""What disclosure consumes, and the aggregates behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.schemas import Schemas
from services.disclosure import metrics
from services.disclosure.contracts import changes, links, reference
from services.disclosure.contracts.links import Again
from services.disclosure.contracts.records import LINKED, Linked, RecordReader
from services.disclosure.domain import edition, punctuality, subject_card, subject_file
from services.disclosure.domain.edition import CatalogueItem, EditionSeen
from services.disclosure.domain.events import (
    CardChanged,
    EditionKnown,
    Event,
    FileErased,
    PersonErased,
    RecordChanged,
    RecordStands,
    RecordWaits,
)
from services.disclosure.domain.grouping import group
from services.disclosure.domain.punctuality import PublicDue
from services.disclosure.domain.subject_card import SubjectCard, SubjectSeen
from services.disclosure.domain.subject_file import LinkMoved, RecordSeen, SubjectErased, SubjectFile
from services.disclosure.store import counts, files, standings
from services.disclosure.store import reference as stored

WAITS, WAITS_AGAIN = "catalogue", "catalogue-again"
ERASURE = "erasure"  # who was erased, from the card, where identity's word of subjects goes, to the file


# As far as its head tells, or already with what may be shown of it.
Given = Linked | RecordSeen | Again | LinkMoved | SubjectErased
ReadMany = Callable[[Sequence[Message], Moment], Sequence[RecordSeen | None]]


class SubjectFiles:
    """Records -> what is shown of subjects."""

    name = "subject_file"

    def __init__(self, schemas: Schemas, reader: RecordReader) -> None:
        self._schemas = schemas
        self._reader = reader
        self._group_of: dict[bytes, bytes] = {}  # of this batch: subject -> the file it is decided in

    def key(self, given: Given) -> bytes:
        return self._group_of.get(given.subject_id, given.subject_id)

    async def load(self, tx: Transaction, given: Sequence[Given]) -> dict[bytes, SubjectFile]:
        await self._schemas.resolve(one.needed for one in given if isinstance(one, Linked | Again))
        named = [one for one in given if not isinstance(one, SubjectErased)]
        ends = {one.subject_id for one in given if isinstance(one, SubjectErased)}
        known = await standings.load_standings(tx, {one.record_id for one in named})
        pairs = [(one.record_id, one.subject_id) for one in named]
        pairs += [(record_id, standing.subject_id) for record_id, standing in known.items()]
        seqs, erased = await counts.load_counts(tx, {s for _, s in pairs} | ends)
        if ends:
            shown = await standings.load_shown_of(tx, ends)
            pairs += [(record_id, standing.subject_id) for record_id, standing in shown.items()]
            known |= shown  # what was read after the counts
        self._group_of, loaded = group(pairs, known, seqs, erased, ends)
        return loaded

    def initial(self, key: bytes) -> SubjectFile:
        return subject_file.EMPTY

    def decide(self, state: SubjectFile, given: Given) -> Sequence[Event]:
        events = subject_file.decide(state, links.complete(self._reader, given))
        if not events and not isinstance(given, SubjectErased):
            metrics.record_came_to("ignored").inc()
        return events

    def evolve(self, state: SubjectFile, event: Event) -> SubjectFile:
        return subject_file.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[bytes, SubjectFile],
        after: Mapping[bytes, SubjectFile],
        events: Sequence[tuple[bytes, Event]],
    ) -> None:
        await files.save(tx, before, after, events)
        count([event for _, event in events])

    def announce(self, event: Event, given: Given) -> Iterable[Outgoing]:
        return (changes.record_changed(self._schemas, event),) if isinstance(event, RecordChanged) else ()

    def timers(self, event: Event, given: Given) -> Iterable[Timer]:
        # The lane goes on: were it to stop until the catalogue is here, a batch that holds both would never end.
        if isinstance(event, RecordWaits) and isinstance(given, Linked | Again):  # what waits has not been completed
            key = event.record_id + event.version.to_bytes(8)
            return (Timer(event.again_at_ms, key, WAITS if isinstance(given, Linked) else WAITS_AGAIN, given.value),)
        return ()


DUE = PublicDue()  # rules and calendar are of the release


def count(events: Sequence[Event]) -> None:
    """Tell the metrics of a batch."""
    told = Counter((e.feed, e.change) if isinstance(e, RecordChanged) else type(e) for e in events)
    for what, times in told.items():
        if isinstance(what, tuple):
            metrics.change_said(*what).inc(times)
        elif what is FileErased:
            metrics.ERASED.inc(times)
        else:
            metrics.record_came_to("stands" if what is RecordStands else "waits").inc(times)
    late = [e for e in events if isinstance(e, RecordChanged) and punctuality.late(DUE, e)]
    for place, times in Counter((e.shown.agency, e.shown.item, punctuality.charged(DUE, e)) for e in late).items():
        metrics.public_too_late(*place).inc(times)


class Items:
    """Published catalogue items -> which fields may be shown."""

    name = "catalogue_item"

    def key(self, given: EditionSeen) -> str:
        return given.code

    async def load(self, tx: Transaction, given: Sequence[EditionSeen]) -> dict[str, CatalogueItem]:
        return await stored.load_items(tx, {one.code for one in given})

    def initial(self, key: str) -> CatalogueItem:
        return CatalogueItem()

    def decide(self, state: CatalogueItem, given: EditionSeen) -> Sequence[EditionKnown]:
        return edition.decide(state, given)

    def evolve(self, state: CatalogueItem, event: EditionKnown) -> CatalogueItem:
        return edition.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[str, CatalogueItem],
        after: Mapping[str, CatalogueItem],
        events: Sequence[tuple[str, EditionKnown]],
    ) -> None:
        await stored.save_editions(tx, events)

    def announce(self, event: EditionKnown, given: EditionSeen) -> Iterable[Outgoing]:
        return ()

    def timers(self, event: EditionKnown, given: EditionSeen) -> Iterable[Timer]:
        return ()


class Cards:
    """Subjects as identity tells them -> names and codes to look up by. Of a person only the erasure is told."""

    name = "subject_card"

    def key(self, given: SubjectSeen) -> bytes:
        return given.subject_id

    async def load(self, tx: Transaction, given: Sequence[SubjectSeen]) -> dict[bytes, SubjectCard]:
        return await stored.load_cards(tx, {one.subject_id for one in given})

    def initial(self, key: bytes) -> SubjectCard:
        return SubjectCard(key)

    def decide(self, state: SubjectCard, given: SubjectSeen) -> Sequence[CardChanged | PersonErased]:
        return subject_card.decide(state, given)

    def evolve(self, state: SubjectCard, event: CardChanged | PersonErased) -> SubjectCard:
        return subject_card.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[bytes, SubjectCard],
        after: Mapping[bytes, SubjectCard],
        events: Sequence[tuple[bytes, CardChanged | PersonErased]],
    ) -> None:
        changed = [(key, event) for key, event in events if isinstance(event, CardChanged)]
        if changed:
            await stored.save_cards(tx, before, after, changed)

    def announce(self, event: CardChanged | PersonErased, given: SubjectSeen) -> Iterable[Outgoing]:
        return ()

    def timers(self, event: CardChanged | PersonErased, given: SubjectSeen) -> Iterable[Timer]:
        # A topic has one aggregate, and this is not it: the file hears of it in the next turn of this lane.
        return (Timer(event.at_ms, event.subject_id, ERASURE),) if isinstance(event, PersonErased) else ()


def handlers(schemas: Schemas, reader: RecordReader, read_many: ReadMany | None = None) -> tuple[Handler, ...]:
    """The table of what is consumed; `read_many` takes the records of which it is certain."""
    subject_files = SubjectFiles(schemas, reader)

    def item(message: Message, moment: Moment) -> EditionSeen:
        return reference.read_edition(schemas, message, moment)

    def link(message: Message, moment: Moment) -> Again | LinkMoved:
        return links.read_link(schemas, reader, message, moment)

    def subject(message: Message, moment: Moment) -> SubjectSeen:
        return reference.read_subject(schemas, message, moment)

    def erased(message: Message, moment: Moment) -> SubjectErased:
        return SubjectErased(message.key, moment.now_ms)

    return (
        Handler(LINKED, subject_files, reader.read, read_many),
        Handler(f"timer:{WAITS}", subject_files, reader.read),
        Handler(links.LINK, subject_files, link),
        Handler(f"timer:{WAITS_AGAIN}", subject_files, link),
        Handler(reference.SUBJECT, Cards(), subject),
        Handler(f"timer:{ERASURE}", subject_files, erased),
        Handler(reference.CATALOGUE, Items(), item),
    )
