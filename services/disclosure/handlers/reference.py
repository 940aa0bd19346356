"""What disclosure looks things up in: published catalogue items, and subjects as identity tells them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.handling import Transaction
from services.chassis.message import Outgoing, Timer
from services.disclosure.domain import edition, subject_card
from services.disclosure.domain.edition import CatalogueItem, EditionSeen
from services.disclosure.domain.events import CardChanged, EditionKnown, PersonErased
from services.disclosure.domain.subject_card import SubjectCard, SubjectSeen
from services.disclosure.store import reference as stored

ERASURE = "erasure"  # who was erased, from the card, where identity's word of subjects goes, to the file


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
