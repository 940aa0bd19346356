"""What national_sync consumes, and the aggregate behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.schemas import Schemas
from services.national_sync import store
from services.national_sync.contracts import answers, linked
from services.national_sync.contracts import exchange as told
from services.national_sync.domain import deciding, exchange
from services.national_sync.domain.events import Answered, Event
from services.national_sync.domain.exchange import Exchange
from services.national_sync.domain.inputs import Input, Irrelevant

RETRY = "retry"


class Exchanges:
    """One record's exchange; reached by records, links, answers and timers in different lanes, so rows are locked."""

    name = "exchange"

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def key(self, given: Input) -> bytes:
        return b"" if isinstance(given, Irrelevant) else given.record_id

    async def load(self, tx: Transaction, given: Sequence[Input]) -> dict[bytes, Exchange]:
        return await store.load(tx, {g.record_id for g in given if not isinstance(g, Irrelevant)})

    def initial(self, key: bytes) -> Exchange:
        return Exchange(key)

    def decide(self, state: Exchange, given: Input) -> Sequence[Event]:
        return deciding.decide(state, given)

    def evolve(self, state: Exchange, event: Event) -> Exchange:
        return exchange.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[bytes, Exchange],
        after: Mapping[bytes, Exchange],
        events: Sequence[tuple[bytes, Event]],
    ) -> None:
        await store.save(tx, before, after, events)

    def announce(self, event: Event, given: Input) -> Iterable[Outgoing]:
        said = told.exchange_changed(self._schemas, self.key(given), event)
        return () if said is None else (said,)

    def timers(self, event: Event, given: Input) -> Iterable[Timer]:
        if isinstance(event, Answered) and event.retry_at_ms is not None:
            yield Timer(event.retry_at_ms, self.key(given), RETRY, b"%d" % event.version)


def handlers(schemas: Schemas, items: Collection[str]) -> tuple[Handler, ...]:
    """The table of what is consumed."""
    exchanges = Exchanges(schemas)

    def record(message: Message, moment: Moment) -> Input:
        return linked.read_record(schemas, items, message, moment)

    def link(message: Message, moment: Moment) -> Input:
        return linked.read_link(schemas, items, message, moment)

    def answer(message: Message, moment: Moment) -> Input:
        return answers.read_answer(schemas, message, moment)

    def answer_command(message: Message, moment: Moment) -> Input:
        return answers.read_answer_command(schemas, message, moment)

    return (
        Handler(linked.LINKED, exchanges, record),
        Handler(linked.LINK, exchanges, link),
        Handler(answers.ANSWER, exchanges, answer),
        Handler("command:record_answer", exchanges, answer_command),
        Handler(f"timer:{RETRY}", exchanges, told.read_retry),
    )
