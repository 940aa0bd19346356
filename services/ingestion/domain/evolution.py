"""Whether an item may go from one edition to the next: what was hidden stays hidden, what is read stays readable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.ingestion.domain.definition import Field, Item
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.life import Consumer


def loosened(before: Iterable[str], after: str) -> Sequence[Fault]:
    """Fields that were sensitive and would not be. Who has lost an old edition shows its records by the next one."""
    shown = _hidden(before) - _hidden([after])
    return [fault("SENSITIVITY_LOOSENED", code) for code in sorted(shown & {f["code"] for f in _fields(after)})]


def _fields(definition: str) -> list[dict[str, Any]]:
    return json.loads(definition)["fields"]


def _hidden(definitions: Iterable[str]) -> set[str]:
    fields = [field for definition in definitions for field in _fields(definition)]
    return {field["code"] for field in fields if field.get("sensitivity", "none") != "none"}


def broken_readers(before: Item, after: Item, consumers: Sequence[Consumer]) -> Iterator[Fault]:
    """One fault per reader and field: gone, of another type, no longer always there, or hidden from now on."""
    old, new = ({field.code: field for field in item.fields} for item in (before, after))
    for consumer in consumers:
        for code in consumer.fields:
            why = _breaks(old.get(code), new.get(code))
            if why:
                yield fault("READER_BROKEN", code, rule=f"{consumer.name} (reads `{code}`, which {why})")


def _breaks(old: Field | None, new: Field | None) -> str:
    if new is None:
        return "is gone"
    if old is None:
        return ""
    if new.type != old.type:
        return f"becomes {new.type} instead of {old.type}"
    if old.required == "mandatory" != new.required:
        return "may be absent from now on"
    return "becomes hidden" if old.sensitivity == "none" != new.sensitivity else ""


def incompatible(editions: Iterable[Item], after: Item) -> Iterator[Fault]:
    """FULL_TRANSITIVE, said before the registry says it: per edition and field, what its readers could not read."""
    new = {field.code: field for field in after.fields}
    for edition in editions:
        old = {field.code: field for field in edition.fields}
        for code in sorted(old.keys() | new.keys()):
            why = _incompatible(old.get(code), new.get(code))
            if why:
                yield fault("SCHEMA_INCOMPATIBLE", code, rule=f"edition {edition.version}: {why}")


def _incompatible(old: Field | None, new: Field | None) -> str:
    if old is None or new is None:
        field = old or new
        told = "is gone" if new is None else "is new"
        return f"a mandatory field {told}" if field and field.required == "mandatory" else ""
    if _avro(old) != _avro(new):
        return "its type or whether it may be absent has changed"
    return ""


def _avro(field: Field) -> tuple[str, bool]:
    """What the schema says of it; a condition makes a field as absent as an option does."""
    kind = {"money_fen": "int", "decimal": "string"}.get(field.type, field.type)
    return kind, field.required == "mandatory"
