"""A catalogue item (目录事项) as values: parsed from its published definition, all faults reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.ingestion.domain import denylist
from services.ingestion.domain.conditions import Condition
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.terms import (
    CLASSES,
    DISCLOSURES,
    FIELD_TYPES,
    FORMATS,
    PERSON,
    SENSITIVITIES,
    SUBJECT_KINDS,
    UNITS,
    VERIFICATIONS,
)

MISSING = object()


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """One law, regulation or notice an item rests on; `verification` says whether its text was read."""

    document: str
    article: str
    verification: str


@dataclass(frozen=True, slots=True)
class Field:
    """One data item of the payload."""

    code: str
    name_zh: str
    name_en: str
    type: str
    required: str
    condition: Condition | None
    max_length: int
    code_list: tuple[str, ...]
    separator: str
    format: str
    same_as: str
    not_before: str
    minimum: int
    maximum: int
    sensitivity: str


@dataclass(frozen=True, slots=True)
class Item:
    """An edition of a catalogue item."""

    code: str
    name_zh: str
    version: int
    item_class: str
    disclosure: str
    subject_kinds: tuple[str, ...]
    agencies: tuple[str, ...]
    legal_basis: tuple[LegalBasis, ...]
    deadline_days: int
    deadline_unit: str
    fields: tuple[Field, ...]


class Reader:
    """Takes values out of a table of the definition and notes what is wrong."""

    def __init__(self, table: Mapping[str, Any], where: str, faults: list[Fault]) -> None:
        self._table = table
        self._where = where
        self._faults = faults

    def wrong(self, name: str, rule: str) -> None:
        """Note a fault about one entry."""
        self._faults.append(fault("DEFINITION_FAULT", f"{self._where}{name}", rule=f"{name}: {rule}"))

    def text(self, name: str, default: Any = MISSING) -> str:
        """A non-empty string, or the default."""
        value = self._table.get(name, default)
        if isinstance(value, str) and (value or default is not MISSING):
            return value
        self.wrong(name, "a text is needed")
        return ""

    def one_of(self, name: str, allowed: Sequence[str], default: Any = MISSING) -> str:
        """A string from a closed set."""
        value = self._table.get(name, default)
        if value in allowed:
            return str(value)
        self.wrong(name, "one of " + ", ".join(allowed))
        return allowed[0]

    def number(self, name: str, low: int, high: int, default: Any = MISSING) -> int:
        """An integer within bounds."""
        value = self._table.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.wrong(name, f"a whole number from {low} to {high}")
        return low

    def texts(self, name: str, allowed: Sequence[str] = (), default: Any = MISSING) -> tuple[str, ...]:
        """A list of strings, of a closed set if one is given."""
        value: Any = self._table.get(name, default)
        if isinstance(value, (list, tuple)) and (value or default is not MISSING):
            entries: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            if all(isinstance(entry, str) and (not allowed or entry in allowed) for entry in entries):
                return tuple(entries)
        self.wrong(name, "a list of " + (", ".join(allowed) or "texts"))
        return ()

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        """A list of tables; anything else is a fault and an empty list."""
        value: Any = self._table.get(name)
        if isinstance(value, list):
            entries: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            if all(isinstance(entry, Mapping) for entry in entries):
                return entries
        self.wrong(name, "a list of tables")
        return []

    def table(self, name: str) -> Mapping[str, Any]:
        """A table."""
        value: Any = self._table.get(name)
        if isinstance(value, Mapping):
            return value  # pyright: ignore[reportUnknownVariableType]
        self.wrong(name, "a table")
        return {}


def parse(definition: Mapping[str, Any]) -> tuple[Item | None, tuple[Fault, ...]]:
    """The item, or everything that is wrong with its definition."""
    faults: list[Fault] = []
    top = Reader(definition, "", faults)
    deadline = Reader(top.table("deadline"), "deadline.", faults)
    kinds = top.texts("subject_kinds", SUBJECT_KINDS)
    item = Item(
        code=top.text("code"),
        name_zh=top.text("name_zh"),
        version=top.number("version", 1, 1_000_000),
        item_class=top.one_of("class", CLASSES),
        disclosure=top.one_of("disclosure", DISCLOSURES),
        subject_kinds=kinds,
        agencies=top.texts("agencies"),
        legal_basis=_legal_basis(top, faults),
        deadline_days=deadline.number("days", 1, 366),
        deadline_unit=deadline.one_of("unit", UNITS),
        fields=tuple(_field(table, i, faults) for i, table in enumerate(top.tables("fields"))),
    )
    faults.extend(_cross_checks(item))
    return (None, tuple(faults)) if faults else (item, ())


def _legal_basis(top: Reader, faults: list[Fault]) -> tuple[LegalBasis, ...]:
    basis: list[LegalBasis] = []
    for i, table in enumerate(top.tables("legal_basis")):
        entry = Reader(table, f"legal_basis[{i}].", faults)
        verification = entry.one_of("verification", VERIFICATIONS)
        basis.append(LegalBasis(entry.text("document"), entry.text("article"), verification))
    if not basis:
        faults.append(fault("LEGAL_BASIS_MISSING", "legal_basis"))
    return tuple(basis)


def _field(table: Mapping[str, Any], index: int, faults: list[Fault]) -> Field:
    entry = Reader(table, f"fields[{index}].", faults)
    kind = entry.one_of("type", FIELD_TYPES)
    required, condition = _required(entry)
    return Field(
        code=entry.text("code"),
        name_zh=entry.text("name_zh"),
        name_en=entry.text("name_en"),
        type=kind,
        required=required,
        condition=condition,
        max_length=entry.number("max_length", 1, 100_000, MISSING if kind == "string" else 100),
        code_list=entry.texts("code_list", (), ()),
        separator=entry.text("separator", ""),
        format=entry.one_of("format", FORMATS, ""),
        same_as=entry.text("same_as", ""),
        not_before=entry.text("not_before", ""),
        minimum=entry.number("minimum", -(10**18), 10**18, 0),
        maximum=entry.number("maximum", -(10**18), 10**18, 10**15),
        sensitivity=entry.one_of("sensitivity", SENSITIVITIES, "none"),
    )


def _required(entry: Reader) -> tuple[str, Condition | None]:
    text = entry.text("required")
    if text in ("mandatory", "optional"):
        return text, None
    condition = Condition.parse(text.removeprefix("conditional:")) if text.startswith("conditional:") else None
    if condition is None:
        entry.wrong("required", "mandatory, optional or conditional:<field>[=|~<value>|<value>]")
    return "conditional", condition


def _cross_checks(item: Item) -> list[Fault]:
    """What only shows when the parts are put together: names that exist, once; nothing forbidden."""
    faults: list[Fault] = []
    codes = [field.code for field in item.fields]
    known = {*codes, *ENVELOPE_NAMES}
    if len(set(codes)) != len(codes) or not codes:
        faults.append(fault("DEFINITION_FAULT", "fields", rule="fields: at least one, each code once"))
    for field in item.fields:
        named = [field.same_as, field.not_before, field.condition.name if field.condition else ""]
        if not field.code.isascii() or not field.code.isidentifier():
            faults.append(fault("DEFINITION_FAULT", field.code, rule="code: letters, digits and _"))
        if any(name and name not in known for name in named):
            faults.append(fault("DEFINITION_FAULT", field.code, rule="names a field that the item does not have"))
        if field.sensitivity != "none" and PERSON in item.subject_kinds and field.type != "string":
            faults.append(fault("DEFINITION_FAULT", field.code, rule="sensitivity: of a person a text, to be sealed"))
        if denylist.forbidden_name(field.name_zh, field.name_en, item.subject_kinds):
            faults.append(fault("ATTRIBUTE_FORBIDDEN", field.code))
    return faults


ENVELOPE_NAMES = ("subject_kind", "subject_code_kind", "subject_code", "subject_name", "decided_on")
