"""From an accepted submission to the national field names, by data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

FEN_PER_WAN = Decimal(1_000_000)
WAN_YUAN = re.compile(r"\d{1,12}(\.\d{1,6})?")


class MappingFault(Exception):
    """One line per thing that is wrong with a mapping's data."""


class Unmappable(Exception):
    """A value has no national form; the argument is the national field, never the value."""


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One national field: where it comes from and what form it takes."""

    national: str
    source: str
    kind: str


@dataclass(frozen=True, slots=True)
class ItemMapping:
    """How one catalogue item is told to the nation; `withheld` fields are known and deliberately not passed on."""

    item: str
    vintage: str
    dataset: str
    fields: tuple[FieldMapping, ...]
    withheld: frozenset[str]


def mapping_from(table: Mapping[str, Any]) -> ItemMapping:
    """Check and build a mapping from its parsed data; raises `MappingFault` naming every fault."""
    faults = [f"{key} is missing" for key in ("item", "vintage", "dataset", "fields") if not table.get(key)]
    fields = tuple(_field(entry) for entry in table.get("fields", ()))
    faults += [f"{f.national}: no such kind {f.kind}" for f in fields if f.kind not in KINDS]
    names = [f.national for f in fields]
    faults += [f"{name} occurs twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise MappingFault("\n".join(faults))
    return ItemMapping(table["item"], table["vintage"], table["dataset"], fields, frozenset(table.get("withheld", ())))


def _field(entry: Mapping[str, Any]) -> FieldMapping:
    national = str(entry["to"])
    return FieldMapping(national, str(entry.get("from", national)), str(entry.get("kind", "text")))


def to_national(mapping: ItemMapping, payload: Mapping[str, Any]) -> dict[str, str]:
    """The national fields that have a value; raises `Unmappable`."""
    found: dict[str, str] = {}
    for field in mapping.fields:
        value = payload.get(field.source)
        if value is None or value == "":
            continue
        try:
            found[field.national] = KINDS[field.kind](value)
        except (TypeError, ValueError):
            raise Unmappable(field.national) from None
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _code(value: Any) -> str:
    """Lower case in a code is common dirt; the nation gets it repaired."""
    return _text(value).strip().upper()


def _date(value: Any) -> str:
    if not isinstance(value, date):
        raise TypeError
    return f"{value:%Y/%m/%d}"


def _wan_yuan(value: Any) -> str:
    """万元 with at most six decimals: whole fen are divided, text (already 万元) is only brought to one form."""
    if isinstance(value, int):
        amount = Decimal(value) / FEN_PER_WAN
    elif WAN_YUAN.fullmatch(_text(value)):
        amount = Decimal(value)
    else:
        raise ValueError
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


KINDS: dict[str, Callable[[Any], str]] = {"text": _text, "code": _code, "date": _date, "wan_yuan": _wan_yuan}
