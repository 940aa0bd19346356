"""Commands about agencies and catalogue items, and the aggregates that they concern."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.handling import Transaction
from services.chassis.message import Outgoing, Timer
from services.ingestion.contracts.reference import AgencyAsked, ItemAsked, ReferenceSpeaker
from services.ingestion.domain import agency, catalogue_item, item_deciding
from services.ingestion.domain.agency import Agency
from services.ingestion.domain.catalogue_item import CatalogueItem
from services.ingestion.domain.events import ReferenceEvent
from services.ingestion.store import reference


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
