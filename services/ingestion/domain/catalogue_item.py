"""A catalogue item (目录事项) as an aggregate: drafted, merged, confirmed, published edition by edition, retired.

Editions never change. What the world is told of an item (`ItemTold`) is stated whenever it has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from services.ingestion.domain import evolution
from services.ingestion.domain.definition import Item, parse
from services.ingestion.domain.events import (
    CommandRefused,
    CommandRepeated,
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
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.life import (
    BORN,
    Candidate,
    Consumer,
    Draft,
    Life,
    Publication,
    Retirement,
    Seal,
)
from services.ingestion.domain.wishes import (
    ConfirmItem,
    DraftItem,
    MergeDrafts,
    PublishItem,
    RegisterConsumer,
    RetireItem,
    Wish,
    canonical,
)

__all__ = ["NOTHING", "CatalogueItem", "Edition", "canonical", "decide", "evolve"]


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


def decide(state: CatalogueItem, given: Wish) -> Sequence[ReferenceEvent]:
    """One event that answers the command, and before it what the world is told anew."""
    if given.faults:
        return (CommandRefused(given.asker.command_id, given.faults),)
    if given.asker.command_id in state.life.commands:
        return (CommandRepeated(given.asker.command_id),)
    event = _decided(state, given)
    after = told(evolve(state, event))
    return (event,) if after is None or after == told(state) else (after, event)


def _decided(state: CatalogueItem, given: Wish) -> ReferenceEvent:
    match given:
        case PublishItem():
            return _publish(state, given)
        case DraftItem():
            return _draft(state, given)
        case MergeDrafts():
            return _merge(state, given)
        case ConfirmItem():
            return _confirm(state, given)
        case RetireItem():
            return _retire(state, given)
        case RegisterConsumer():
            return _consumer(state, given)


def _refused(given: Wish, *faults: Fault) -> CommandRefused:
    return CommandRefused(given.asker.command_id, faults)


def _next(state: CatalogueItem, version: int) -> tuple[Fault, ...]:
    """What stands against a new edition of this version, whatever is in it."""
    if state.life.retired:
        return (fault("ITEM_RETIRED", "code"),)
    return (fault("EDITION_FIXED", "version"),) if version <= state.newest else ()


def _draft(state: CatalogueItem, given: DraftItem) -> ReferenceEvent:
    against = _next(state, given.proposal.version)
    if against:
        return _refused(given, *against)
    known = next((d for d in state.life.drafts if d.unit == given.unit and not d.merged_into), None)
    if known and known.definition == given.proposal.definition:
        return CommandRepeated(given.asker.command_id)
    asker = given.asker
    return ItemDrafted(asker.command_id, Draft(given.unit, given.proposal.definition, asker.by, asker.at, 0))


def _merge(state: CatalogueItem, given: MergeDrafts) -> ReferenceEvent:
    standing = {draft.unit for draft in state.life.drafts if not draft.merged_into}
    unknown = [fault("DRAFT_UNKNOWN", unit) for unit in given.replaces if unit not in standing]
    against = (*_next(state, given.proposal.version), *unknown)
    if against:
        return _refused(given, *against)
    asker, proposal = given.asker, given.proposal
    merged = Candidate(proposal.version, proposal.definition, given.replaces, asker.by, asker.at, ())
    return DraftsMerged(asker.command_id, merged)


def _confirm(state: CatalogueItem, given: ConfirmItem) -> ReferenceEvent:
    candidate = state.life.candidate
    if candidate is None or candidate.version != given.version:
        return _refused(given, fault("NOTHING_TO_CONFIRM", "version"))
    item = _item(candidate.definition)
    if given.unit not in item.standing.seals and not any(fnmatchcase(given.unit, p) for p in item.agencies):
        rule = ", ".join(dict.fromkeys((*item.standing.seals, *item.agencies)))
        return _refused(given, fault("UNIT_NOT_RESPONSIBLE", "unit", rule=rule))
    if any(seal.unit == given.unit for seal in candidate.seals):
        return CommandRepeated(given.asker.command_id)
    seal = Seal(given.unit, given.document, given.asker.by, given.asker.at)
    return ItemConfirmed(given.asker.command_id, seal, missing_seals(replace_seals(candidate, seal), item))


def replace_seals(candidate: Candidate, seal: Seal) -> Candidate:
    """The candidate with one more seal."""
    return candidate._replace(seals=(*candidate.seals, seal))


def missing_seals(candidate: Candidate, item: Item) -> tuple[str, ...]:
    """Named units that have not confirmed yet; where none is named, one of the responsible must."""
    sealed = {seal.unit for seal in candidate.seals}
    named = item.standing.seals or (() if sealed else ("|".join(item.agencies),))
    return tuple(unit for unit in named if unit not in sealed)


def _publish(state: CatalogueItem, given: PublishItem) -> ReferenceEvent:
    """A new edition has a higher version; the standing one may only be given another schema id (a new registry)."""
    proposal, asker = given.proposal, given.asker
    edition = Edition(proposal.version, proposal.definition, given.schema_id)
    if edition in state.editions:
        return CommandRepeated(asker.command_id)
    known = next((e for e in state.editions if e.version == edition.version), None)
    against = _changed(known, edition) if known else [*_next(state, edition.version), *_against(state, given)]
    if against:
        return _refused(given, *against)
    if given.rehearsal:
        return CommandRepeated(asker.command_id)
    publication = state.life.publication(edition.version) if known else _publication(state, given)
    return ItemPublished(asker.command_id, edition.version, edition.definition, edition.schema_id, publication)


def _changed(known: Edition, edition: Edition) -> list[Fault]:
    return [fault("EDITION_FIXED", "version")] if known.definition != edition.definition else []


def _against(state: CatalogueItem, given: PublishItem) -> Iterator[Fault]:
    """What stands against this definition as the next edition."""
    after = given.proposal.item
    if after is None:
        return
    before = [_item(edition.definition) for edition in state.editions]
    yield from evolution.loosened((e.definition for e in state.editions), given.proposal.definition)
    yield from evolution.incompatible(before, after)
    if before:
        yield from evolution.broken_readers(before[-1], after, state.life.consumers)
    candidate = state.life.candidate
    if candidate is not None and candidate.version == given.proposal.version:
        if candidate.definition != given.proposal.definition:
            yield fault("CANDIDATE_DIFFERS", "definition")
        missing = missing_seals(candidate, after)
        if missing:
            yield fault("SEAL_MISSING", "definition", rule=", ".join(missing))


def _publication(state: CatalogueItem, given: PublishItem) -> Publication:
    candidate, asker, version = state.life.candidate, given.asker, given.proposal.version
    merged = candidate if candidate and candidate.version == version else None
    replaces, seals = (merged.replaces, merged.seals) if merged else ((), ())
    return Publication(version, given.document_number, asker.by, asker.at, replaces, seals)


def _retire(state: CatalogueItem, given: RetireItem) -> ReferenceEvent:
    if not state.editions:
        return _refused(given, fault("ITEM_UNKNOWN", "code"))
    if state.life.retired:
        return CommandRepeated(given.asker.command_id)
    asker = given.asker
    return ItemRetired(asker.command_id, Retirement(given.reason, given.document_number, asker.by, asker.at))


def _consumer(state: CatalogueItem, given: RegisterConsumer) -> ReferenceEvent:
    if not state.editions:
        return _refused(given, fault("ITEM_UNKNOWN", "code"))
    known = {field.code for field in _item(state.editions[-1].definition).fields}
    unknown = [fault("FIELD_UNKNOWN", code) for code in given.fields if code not in known]
    if unknown:
        return _refused(given, *unknown)
    standing = next((c.fields for c in state.life.consumers if c.name == given.consumer), ())
    if standing == given.fields:
        return CommandRepeated(given.asker.command_id)
    asker = given.asker
    return ConsumerRegistered(asker.command_id, Consumer(given.consumer, given.fields, asker.by, asker.at))


def _item(definition: str) -> Item:
    """What was accepted once can be read."""
    item, faults = parse(json.loads(definition))
    assert item is not None, faults
    return item


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
