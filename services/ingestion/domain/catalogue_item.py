"""A catalogue item (目录事项) as an aggregate: editions are published one after the other and never change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.ingestion.domain.definition import parse
from services.ingestion.domain.events import CommandRefused, CommandRepeated, ItemPublished, ReferenceEvent
from services.ingestion.domain.faults import Fault, fault


class PublishItem(NamedTuple):
    """The command, with the values it carries."""

    command_id: str
    code: str
    version: int
    definition: str
    schema_id: int
    faults: tuple[Fault, ...]


class Edition(NamedTuple):
    """A published edition: its definition as canonical JSON, and the registry's id of its schema."""

    version: int
    definition: str
    schema_id: int


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """The editions published so far, oldest first."""

    editions: tuple[Edition, ...] = ()


NOTHING = CatalogueItem()


def canonical(definition: Mapping[str, Any]) -> str:
    """A definition as text: equal definitions give equal texts."""
    return json.dumps(definition, ensure_ascii=False, separators=(",", ":"))


def read_publish(command_id: str, arguments: Mapping[str, Any]) -> PublishItem:
    """Take the arguments apart; whatever is wrong with them becomes a fault."""
    definition, schema_id = arguments.get("definition"), arguments.get("schema_id")
    faults: list[Fault] = []
    if not isinstance(schema_id, int) or isinstance(schema_id, bool) or schema_id < 0:
        faults.append(fault("COMMAND_ARGUMENTS", "schema_id", rule="the registry's id of the item's schema"))
        schema_id = 0
    if not isinstance(definition, Mapping):
        faults.append(fault("COMMAND_ARGUMENTS", "definition", rule="the definition of the item"))
        return PublishItem(command_id, "", 0, "", schema_id, tuple(faults))
    table: Mapping[str, Any] = definition  # pyright: ignore[reportUnknownVariableType]
    item, wrong = parse(table)
    faults.extend(wrong)
    code, version = (item.code, item.version) if item else (str(table.get("code", "")), 0)
    return PublishItem(command_id, code, version, canonical(table), schema_id, tuple(faults))


def decide(state: CatalogueItem, given: PublishItem) -> Sequence[ReferenceEvent]:
    """A new edition has a higher version; the standing one may only be given another schema id (a new registry)."""
    if given.faults:
        return (CommandRefused(given.command_id, given.faults),)
    edition = Edition(given.version, given.definition, given.schema_id)
    if edition in state.editions:
        return (CommandRepeated(given.command_id),)
    last = state.editions[-1] if state.editions else None
    known = next((e for e in state.editions if e.version == given.version), None)
    if (known and known.definition != given.definition) or (not known and last and given.version < last.version):
        return (CommandRefused(given.command_id, (fault("EDITION_FIXED", "version"),)),)
    shown = () if known else _loosened(state, given.definition)
    if shown:
        return (CommandRefused(given.command_id, tuple(fault("SENSITIVITY_LOOSENED", code) for code in shown)),)
    return (ItemPublished(given.command_id, given.version, given.definition, given.schema_id),)


def _loosened(state: CatalogueItem, definition: str) -> Sequence[str]:
    """Fields that were sensitive and would not be. Who has lost an old edition shows its records by the next one."""
    loosened = _hidden(e.definition for e in state.editions) - _hidden([definition])
    return sorted(loosened & _codes(definition))


def _hidden(definitions: Iterable[str]) -> set[str]:
    fields = [field for definition in definitions for field in json.loads(definition)["fields"]]
    return {field["code"] for field in fields if field.get("sensitivity", "none") != "none"}


def _codes(definition: str) -> set[str]:
    return {field["code"] for field in json.loads(definition)["fields"]}


def evolve(state: CatalogueItem, event: ReferenceEvent) -> CatalogueItem:
    """The state after an event."""
    if not isinstance(event, ItemPublished):
        return state
    others = [e for e in state.editions if e.version != event.version]
    edition = Edition(event.version, event.definition, event.schema_id)
    return CatalogueItem(tuple(sorted((*others, edition))))
