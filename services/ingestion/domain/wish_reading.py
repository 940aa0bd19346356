"""Takes the arguments of a command about a catalogue item apart; whatever is wrong with them becomes a fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.ingestion.domain import denylist
from services.ingestion.domain.definition import Item, parse
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.identifiers import holds_identity_number
from services.ingestion.domain.standing import EXACT_UNIT
from services.ingestion.domain.wishes import (
    Asker,
    ConfirmItem,
    DraftItem,
    MergeDrafts,
    Proposal,
    PublishItem,
    RegisterConsumer,
    RetireItem,
    Table,
    canonical,
)


def read_draft(asker: Asker, arguments: Table) -> DraftItem:
    """definition, unit."""
    proposal, faults = _proposal(arguments)
    unit = _unit(arguments, faults)
    return DraftItem(asker, proposal.code, proposal, unit, tuple(faults))


def read_merge(asker: Asker, arguments: Table) -> MergeDrafts:
    """definition, replaces (units whose drafts it takes in)."""
    proposal, faults = _proposal(arguments)
    replaces = _texts(arguments, "replaces", "the units whose drafts are merged", faults)
    if not replaces and not any(f.field == "replaces" for f in faults):
        faults.append(fault("COMMAND_ARGUMENTS", "replaces", rule="at least one unit whose draft is merged"))
    return MergeDrafts(asker, proposal.code, proposal, replaces, tuple(faults))


def read_confirm(asker: Asker, arguments: Table) -> ConfirmItem:
    """code, version, unit, document (the unit's own number for its confirmation)."""
    faults: list[Fault] = []
    code = _text(arguments, "code", "the item's code", faults)
    version = _number(arguments, "version", "the version that is confirmed", faults)
    unit = _unit(arguments, faults)
    document = _text(arguments, "document", "the number of the unit's confirmation", faults)
    return ConfirmItem(asker, code, version, unit, document, tuple(faults))


def read_publish(asker: Asker, arguments: Table) -> PublishItem:
    """definition, schema_id, document_number (may be left out for a definition from before the full form), rehearsal.

    A rehearsal needs no schema id: who is refused has then put no schema into the registry.
    """
    proposal, faults = _proposal(arguments)
    rehearsal = arguments.get("rehearsal") is True
    rule = "the registry's id of the item's schema"
    schema_id = 0 if rehearsal else _number(arguments, "schema_id", rule, faults)
    number = arguments.get("document_number", "")
    given = number if isinstance(number, str) else ""
    if not given.strip() and (proposal.item is None or proposal.item.standing.in_force_from is not None):
        faults.append(fault("DOCUMENT_NUMBER_MISSING", "document_number"))
    return PublishItem(asker, proposal.code, proposal, schema_id, given, rehearsal, tuple(faults))


def read_retire(asker: Asker, arguments: Table) -> RetireItem:
    """code, reason, document_number."""
    faults: list[Fault] = []
    code = _text(arguments, "code", "the item's code", faults)
    reason = _text(arguments, "reason", "why it is retired", faults)
    number = _text(arguments, "document_number", "the number of the document that retires it", faults)
    return RetireItem(asker, code, reason, number, tuple(faults))


def read_consumer(asker: Asker, arguments: Table) -> RegisterConsumer:
    """code, consumer, fields (an empty list: it reads no longer)."""
    faults: list[Fault] = []
    code = _text(arguments, "code", "the item's code", faults)
    consumer = _text(arguments, "consumer", "the name of who reads", faults)
    fields = _texts(arguments, "fields", "the codes of the fields it reads", faults)
    return RegisterConsumer(asker, code, consumer, fields, tuple(faults))


def _proposal(arguments: Table) -> tuple[Proposal, list[Fault]]:
    definition = arguments.get("definition")
    if not isinstance(definition, Mapping):
        return Proposal("", 0, "", None), [fault("COMMAND_ARGUMENTS", "definition", rule="the definition of the item")]
    table: Table = definition  # pyright: ignore[reportUnknownVariableType]
    item, wrong = parse(table)
    faults = [*wrong, *(objections(item) if item else ())]
    code, version = (item.code, item.version) if item else (str(table.get("code", "")), 0)
    return Proposal(code, version, canonical(table), item), faults


def objections(item: Item) -> list[Fault]:
    """What may not be published although it can be read: attributes that codes, code lists or samples give away."""
    return [
        fault("ATTRIBUTE_FORBIDDEN", field.code)
        for field in item.fields
        if denylist.forbidden_code(field.code)
        or denylist.forbidden_values((*field.code_list, *field.samples), item.subject_kinds)
        or any(holds_identity_number(text) for text in (*field.code_list, *field.samples))
    ]


def _text(arguments: Table, name: str, rule: str, faults: list[Fault]) -> str:
    value = arguments.get(name)
    if isinstance(value, str) and value.strip():
        return value
    faults.append(fault("COMMAND_ARGUMENTS", name, rule=rule))
    return ""


def _unit(arguments: Table, faults: list[Fault]) -> str:
    value = arguments.get("unit")
    if isinstance(value, str) and EXACT_UNIT.fullmatch(value):
        return value
    faults.append(fault("COMMAND_ARGUMENTS", "unit", "420000-hbt", rule="6-digit region, -, short name"))
    return ""


def _number(arguments: Table, name: str, rule: str, faults: list[Fault]) -> int:
    value = arguments.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    faults.append(fault("COMMAND_ARGUMENTS", name, rule=rule))
    return 0


def _texts(arguments: Table, name: str, rule: str, faults: list[Fault]) -> tuple[str, ...]:
    value: Any = arguments.get(name)
    if isinstance(value, list):
        entries: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        if all(isinstance(entry, str) and entry for entry in entries):
            return tuple(sorted(set(entries)))
    faults.append(fault("COMMAND_ARGUMENTS", name, rule=rule))
    return ()
