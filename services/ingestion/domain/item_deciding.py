"""What follows for a catalogue item from a command: drafted, merged, confirmed, retired, read by a consumer."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from services.ingestion.domain.catalogue_item import CatalogueItem, evolve, replace_seals, told
from services.ingestion.domain.events import (
    CommandRefused,
    CommandRepeated,
    ConsumerRegistered,
    DraftsMerged,
    ItemConfirmed,
    ItemDrafted,
    ItemRetired,
    ReferenceEvent,
)
from services.ingestion.domain.faults import fault
from services.ingestion.domain.item_publishing import against_next, missing_seals, publish, read_again, refused
from services.ingestion.domain.life import Candidate, Consumer, Draft, Retirement, Seal
from services.ingestion.domain.wishes import (
    ConfirmItem,
    DraftItem,
    MergeDrafts,
    PublishItem,
    RegisterConsumer,
    RetireItem,
    Wish,
)


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
            return publish(state, given)
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


def _draft(state: CatalogueItem, given: DraftItem) -> ReferenceEvent:
    against = against_next(state, given.proposal.version)
    if against:
        return refused(given, *against)
    known = next((d for d in state.life.drafts if d.unit == given.unit and not d.merged_into), None)
    if known and known.definition == given.proposal.definition:
        return CommandRepeated(given.asker.command_id)
    asker = given.asker
    return ItemDrafted(asker.command_id, Draft(given.unit, given.proposal.definition, asker.by, asker.at, 0))


def _merge(state: CatalogueItem, given: MergeDrafts) -> ReferenceEvent:
    standing = {draft.unit for draft in state.life.drafts if not draft.merged_into}
    unknown = [fault("DRAFT_UNKNOWN", unit) for unit in given.replaces if unit not in standing]
    against = (*against_next(state, given.proposal.version), *unknown)
    if against:
        return refused(given, *against)
    asker, proposal = given.asker, given.proposal
    merged = Candidate(proposal.version, proposal.definition, given.replaces, asker.by, asker.at, ())
    return DraftsMerged(asker.command_id, merged)


def _confirm(state: CatalogueItem, given: ConfirmItem) -> ReferenceEvent:
    candidate = state.life.candidate
    if candidate is None or candidate.version != given.version:
        return refused(given, fault("NOTHING_TO_CONFIRM", "version"))
    item = read_again(candidate.definition)
    if given.unit not in item.standing.seals and not any(fnmatchcase(given.unit, p) for p in item.agencies):
        rule = ", ".join(dict.fromkeys((*item.standing.seals, *item.agencies)))
        return refused(given, fault("UNIT_NOT_RESPONSIBLE", "unit", rule=rule))
    if any(seal.unit == given.unit for seal in candidate.seals):
        return CommandRepeated(given.asker.command_id)
    seal = Seal(given.unit, given.document, given.asker.by, given.asker.at)
    return ItemConfirmed(given.asker.command_id, seal, missing_seals(replace_seals(candidate, seal), item))


def _retire(state: CatalogueItem, given: RetireItem) -> ReferenceEvent:
    if not state.editions:
        return refused(given, fault("ITEM_UNKNOWN", "code"))
    if state.life.retired:
        return CommandRepeated(given.asker.command_id)
    asker = given.asker
    return ItemRetired(asker.command_id, Retirement(given.reason, given.document_number, asker.by, asker.at))


def _consumer(state: CatalogueItem, given: RegisterConsumer) -> ReferenceEvent:
    if not state.editions:
        return refused(given, fault("ITEM_UNKNOWN", "code"))
    known = {field.code for field in read_again(state.editions[-1].definition).fields}
    unknown = [fault("FIELD_UNKNOWN", code) for code in given.fields if code not in known]
    if unknown:
        return refused(given, *unknown)
    standing = next((c.fields for c in state.life.consumers if c.name == given.consumer), ())
    if standing == given.fields:
        return CommandRepeated(given.asker.command_id)
    asker = given.asker
    return ConsumerRegistered(asker.command_id, Consumer(given.consumer, given.fields, asker.by, asker.at))
