"""Commands about feeds: the aggregate is what is expected of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.handling import Transaction
from services.chassis.message import Outgoing, Timer
from services.ingestion.contracts.feeds import FeedAsked, FeedSpeaker
from services.ingestion.domain import expectation
from services.ingestion.domain.expectation import Expectation, ExpectationEvent, FeedKey
from services.ingestion.store import feeds


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
