"""What follows for a catalogue item from its publication, and what stands against an edition."""

from __future__ import annotations

import json
from collections.abc import Iterator

from services.ingestion.domain import evolution
from services.ingestion.domain.catalogue_item import CatalogueItem, Edition
from services.ingestion.domain.definition import Item, parse
from services.ingestion.domain.events import CommandRefused, CommandRepeated, ItemPublished, ReferenceEvent
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.life import Candidate, Publication
from services.ingestion.domain.wishes import PublishItem, Wish


def refused(given: Wish, *faults: Fault) -> CommandRefused:
    """The command is answered with these faults and changes nothing."""
    return CommandRefused(given.asker.command_id, faults)


def against_next(state: CatalogueItem, version: int) -> tuple[Fault, ...]:
    """What stands against a new edition of this version, whatever is in it."""
    if state.life.retired:
        return (fault("ITEM_RETIRED", "code"),)
    return (fault("EDITION_FIXED", "version"),) if version <= state.newest else ()


def missing_seals(candidate: Candidate, item: Item) -> tuple[str, ...]:
    """Named units that have not confirmed yet; where none is named, one of the responsible must."""
    sealed = {seal.unit for seal in candidate.seals}
    named = item.standing.seals or (() if sealed else ("|".join(item.agencies),))
    return tuple(unit for unit in named if unit not in sealed)


def publish(state: CatalogueItem, given: PublishItem) -> ReferenceEvent:
    """A new edition has a higher version; the standing one may only be given another schema id (a new registry)."""
    proposal, asker = given.proposal, given.asker
    edition = Edition(proposal.version, proposal.definition, given.schema_id)
    if edition in state.editions:
        return CommandRepeated(asker.command_id)
    known = next((e for e in state.editions if e.version == edition.version), None)
    against = _changed(known, edition) if known else [*against_next(state, edition.version), *_against(state, given)]
    if against:
        return refused(given, *against)
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
    before = [read_again(edition.definition) for edition in state.editions]
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


def read_again(definition: str) -> Item:
    """What was accepted once can be read."""
    item, faults = parse(json.loads(definition))
    assert item is not None, faults
    return item
