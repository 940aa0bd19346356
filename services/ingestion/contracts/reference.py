"""Commands about agencies and catalogue items -> inputs; their events -> messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from services.chassis import commands
from services.chassis.commands import Codec, Command
from services.chassis.message import Message, Moment, Outgoing
from services.ingestion.domain import wish_reading
from services.ingestion.domain.agency import RegisterAgency, read_register
from services.ingestion.domain.events import (
    AgencyRegistered,
    CommandRefused,
    ItemConfirmed,
    ItemTold,
    ReferenceEvent,
)
from services.ingestion.domain.faults import Fault
from services.ingestion.domain.tiers import tier_of
from services.ingestion.domain.wishes import Asker, Wish

SERVICE = "ingestion"
AGENCY, CATALOGUE = "credit.ingestion.agency.v1", "credit.ingestion.catalogue.v1"


class AgencyAsked(NamedTuple):
    """A `register_agency` command."""

    command: Command
    wish: RegisterAgency
    now: int


class ItemAsked(NamedTuple):
    """A command about a catalogue item."""

    command: Command
    wish: Wish
    now: int


ItemReader = Callable[[Asker, Mapping[str, Any]], Wish]
ITEM_COMMANDS: dict[str, ItemReader] = {
    "draft_item": wish_reading.read_draft,
    "merge_drafts": wish_reading.read_merge,
    "confirm_item": wish_reading.read_confirm,
    "publish_item": wish_reading.read_publish,
    "retire_item": wish_reading.read_retire,
    "register_consumer": wish_reading.read_consumer,
}


class CommandReader:
    """Decodes the commands of this service; raises Unhandleable for what is none."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def register_agency(self, message: Message, moment: Moment) -> AgencyAsked:
        """`register_agency`: code, name_zh, items, region (default: the first six digits of the code).

        Since edition 2 of what is told, also kind, tier, parent, expected_since and roles; what is left out is kept.
        """
        command = commands.read_command(self._codec, message)
        return AgencyAsked(command, read_register(command.command_id, command.arguments), moment.now_ms)

    def about_item(self, message: Message, moment: Moment) -> ItemAsked:
        """A command of `ITEM_COMMANDS`; each says in domain/wish_reading.py what it carries."""
        command = commands.read_command(self._codec, message)
        asker = Asker(command.command_id, command.issued_by, moment.now_ms)
        return ItemAsked(command, ITEM_COMMANDS[command.type](asker, command.arguments), moment.now_ms)


class ReferenceSpeaker:
    """Turns the events of agencies and items into messages: the compacted topic first, then the command's outcome."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def announce(self, event: ReferenceEvent, given: AgencyAsked | ItemAsked) -> Iterable[Outgoing]:
        """What follows from one event."""
        if isinstance(event, AgencyRegistered) and isinstance(given, AgencyAsked):
            yield self._event(AGENCY, given.wish.code, agency_record(event, given))
        if isinstance(event, ItemTold):
            yield self._event(CATALOGUE, given.wish.code, item_record(event, given))
            return
        faults = event.faults if isinstance(event, CommandRefused) else ()
        yield commands.answer(self._codec, SERVICE, given.command, told(faults), given.now, detail_of(event))

    def _event(self, topic: str, key: str, record: dict[str, Any]) -> Outgoing:
        return Outgoing(topic, key.encode(), self._codec.encode(topic, record))


def told(faults: Iterable[Fault]) -> list[commands.Fault]:
    """The faults of a command, without what was received: its sender has just given it."""
    return [commands.Fault(*fault[:-1]) for fault in faults]


def agency_record(event: AgencyRegistered, given: AgencyAsked) -> dict[str, Any]:
    """AgencyRegistered as the contract has it; of its roles nothing is told (domain/profile.py says why)."""
    profile = event.profile
    return {
        "code": given.wish.code,
        "name_zh": event.name_zh,
        "region": event.region,
        "items": list(event.items),
        "registered_at": given.now,
        "kind": profile.kind,
        "tier": tier_of(event.region),
        "parent": profile.parent,
        "expected_since": profile.expected_since,
    }


def detail_of(event: ReferenceEvent) -> str | None:
    """Of a confirmation: who has not confirmed yet."""
    return json.dumps({"missing": list(event.missing)}) if isinstance(event, ItemConfirmed) else None


def item_record(event: ItemTold, given: AgencyAsked | ItemAsked) -> dict[str, Any]:
    """CatalogueItemPublished as the contract has it; `definition` is the whole item."""
    return {
        "code": given.wish.code,
        "version": event.version,
        "definition": event.definition,
        "schema_id": event.schema_id,
        "published_at": event.publication.at or given.now,
        "document_number": event.publication.document_number,
        "published_by": event.publication.by,
        "confirmed_by": [seal.unit for seal in event.publication.seals],
        "retired_at": event.retired.at if event.retired else None,
        "consumers": [{"name": name, "fields": list(fields)} for name, fields in event.consumers],
    }
