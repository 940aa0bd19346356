"""A catalogue item (目录事项) as an aggregate: drafted, merged, confirmed, published edition by edition, retired.

Editions never change. What the world is told of an item (`ItemTold`) is stated whenever it has changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from services.ingestion.domain.events import (
    ConsumerRegistered,
    DraftsMerged,
    ItemConfirmed,
    ItemDrafted,
    ItemEvent,
    ItemPublished,
    ItemRetired,
    ItemTold,
    ReferenceEvent,
)
from services.ingestion.domain.life import BORN, Candidate, Draft, Life, Seal


class Edition(NamedTuple):
    """A published edition: its definition as canonical JSON, and the registry's id of its schema."""

    version: int
    definition: str
    schema_id: int


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """The editions published so far, oldest first, and what happened beside them."""

    editions: tuple[Edition, ...] = ()
    life: Life = BORN

    @property
    def newest(self) -> int:
        """The newest version; 0 before the first."""
        return self.editions[-1].version if self.editions else 0


NOTHING = CatalogueItem()


def replace_seals(candidate: Candidate, seal: Seal) -> Candidate:
    """The candidate with one more seal."""
    return candidate._replace(seals=(*candidate.seals, seal))


def told(state: CatalogueItem) -> ItemTold | None:
    """What the world knows of an item; nothing before it is published."""
    if not state.editions:
        return None
    edition, life = state.editions[-1], state.life
    return ItemTold(
        *edition, life.publication(edition.version), life.retired, tuple((c.name, c.fields) for c in life.consumers)
    )


def evolve(state: CatalogueItem, event: ReferenceEvent) -> CatalogueItem:
    """The state after an event."""
    if not isinstance(event, ItemEvent):
        return state
    life = _lived(state.life, event).remember(event.command_id)
    if not isinstance(event, ItemPublished):
        return CatalogueItem(state.editions, life)
    others = [e for e in state.editions if e.version != event.version]
    edition = Edition(event.version, event.definition, event.schema_id)
    return CatalogueItem(tuple(sorted((*others, edition))), life)


def _lived(life: Life, event: ItemEvent) -> Life:
    match event:
        case ItemDrafted():
            others = tuple(d for d in life.drafts if d.unit != event.draft.unit or d.merged_into)
            return replace(life, drafts=(*others, event.draft))
        case DraftsMerged():
            return replace(life, drafts=_merged(life.drafts, event.candidate), candidate=event.candidate)
        case ItemConfirmed():
            candidate = life.candidate and replace_seals(life.candidate, event.seal)
            return replace(life, candidate=candidate)
        case ItemPublished():
            return _published(life, event)
        case ItemRetired():
            return replace(life, retired=event.retirement)
        case ConsumerRegistered():
            others = tuple(c for c in life.consumers if c.name != event.consumer.name)
            return replace(life, consumers=(*others, *([event.consumer] if event.consumer.fields else [])))


def _merged(drafts: tuple[Draft, ...], candidate: Candidate) -> tuple[Draft, ...]:
    return tuple(
        draft._replace(merged_into=candidate.version)
        if draft.unit in candidate.replaces and not draft.merged_into
        else draft
        for draft in drafts
    )


def _published(life: Life, event: ItemPublished) -> Life:
    """The candidate of that version, or of one before it, has become the edition."""
    others = tuple(p for p in life.publications if p.version != event.version)
    kept = life.candidate if life.candidate and life.candidate.version > event.version else None
    return replace(life, candidate=kept, publications=(*others, event.publication))
