"""Records, their links and erasures -> what is shown of subjects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from services.chassis.handling import Transaction
from services.chassis.message import Outgoing, Timer
from services.chassis.schemas import Schemas
from services.disclosure import metrics
from services.disclosure.contracts import changes, links
from services.disclosure.contracts.links import Again
from services.disclosure.contracts.records import Linked, RecordReader
from services.disclosure.domain import punctuality, subject_file
from services.disclosure.domain.events import Event, FileErased, RecordChanged, RecordStands, RecordWaits
from services.disclosure.domain.grouping import group
from services.disclosure.domain.inputs import LinkMoved, RecordSeen, SubjectErased
from services.disclosure.domain.punctuality import PublicDue
from services.disclosure.domain.subject_file import SubjectFile
from services.disclosure.store import counts, files, standings

WAITS, WAITS_AGAIN = "catalogue", "catalogue-again"
DUE = PublicDue()  # rules and calendar are of the release

# As far as its head tells, or already with what may be shown of it.
Given = Linked | RecordSeen | Again | LinkMoved | SubjectErased


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
