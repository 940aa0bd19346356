"""A catalogue item (目录事项) as values: parsed from its published definition, all faults reported at once.

A definition in the full form says from when it is in force (`in_force_from`) and must then say everything; one from
before there was a full form says less and is read with defaults, because a published edition never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.ingestion.domain import denylist, terms, vintages
from services.ingestion.domain.conditions import Condition
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.not_collected import NotCollected, read_rules, unknown
from services.ingestion.domain.reader import MISSING, Reader
from services.ingestion.domain.standing import UNSAID, DisplayRule, Standing, read_standing


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """One law, regulation or notice an item rests on; `verification` says whether its text was read."""

    document: str
    article: str
    verification: str


@dataclass(frozen=True, slots=True)
class Mask:
    """How much of a value may be seen where it is shown masked: so many characters at either end."""

    left: int
    right: int


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
    mask: Mask | None = None
    samples: tuple[str, ...] = ()


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
    name_en: str = ""
    standing: Standing = UNSAID
    not_collected: tuple[NotCollected, ...] = ()


def parse(definition: Mapping[str, Any]) -> tuple[Item | None, tuple[Fault, ...]]:
    """The item, or everything that is wrong with its definition."""
    faults: list[Fault] = []
    top = Reader(definition, "", faults)
    full = top.has("in_force_from")
    deadline = Reader(top.table("deadline"), "deadline.", faults)
    kinds = top.texts("subject_kinds", terms.SUBJECT_KINDS)
    item = Item(
        code=top.text("code"),
        name_zh=top.text("name_zh"),
        version=top.number("version", 1, 1_000_000),
        item_class=top.one_of("class", terms.CLASSES),
        disclosure=top.one_of("disclosure", terms.DISCLOSURES),
        subject_kinds=kinds,
        agencies=top.texts("agencies"),
        legal_basis=_legal_basis(top, faults),
        deadline_days=deadline.number("days", 1, 366),
        deadline_unit=deadline.one_of("unit", terms.UNITS),
        fields=tuple(_field(table, i, full, faults) for i, table in enumerate(top.tables("fields"))),
        name_en=top.text("name_en", MISSING if full else ""),
        standing=read_standing(top, full, faults),
        not_collected=read_rules(top.tables("not_collected") if top.has("not_collected") else [], faults),
    )
    faults.extend(_cross_checks(item))
    faults.extend(vintages.check(definition, [field.code for field in item.fields]))
    return (None, tuple(faults)) if faults else (item, ())


def _legal_basis(top: Reader, faults: list[Fault]) -> tuple[LegalBasis, ...]:
    basis: list[LegalBasis] = []
    for i, table in enumerate(top.tables("legal_basis")):
        entry = Reader(table, f"legal_basis[{i}].", faults)
        verification = entry.one_of("verification", terms.VERIFICATIONS)
        basis.append(LegalBasis(entry.text("document"), entry.text("article"), verification))
    if not basis:
        faults.append(fault("LEGAL_BASIS_MISSING", "legal_basis"))
    return tuple(basis)


def _field(table: Mapping[str, Any], index: int, full: bool, faults: list[Fault]) -> Field:
    entry = Reader(table, f"fields[{index}].", faults)
    kind = entry.one_of("type", terms.FIELD_TYPES)
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
        format=entry.one_of("format", terms.FORMATS, ""),
        same_as=entry.text("same_as", ""),
        not_before=entry.text("not_before", ""),
        minimum=entry.number("minimum", -(10**18), 10**18, 0),
        maximum=entry.number("maximum", -(10**18), 10**18, 10**15),
        sensitivity=entry.one_of("sensitivity", terms.SENSITIVITIES, MISSING if full else "none"),
        mask=_mask(entry, f"fields[{index}].mask.", faults),
        samples=entry.texts("samples", (), ()),
    )


def _required(entry: Reader) -> tuple[str, Condition | None]:
    text = entry.text("required")
    if text in ("mandatory", "optional"):
        return text, None
    condition = Condition.parse(text.removeprefix("conditional:")) if text.startswith("conditional:") else None
    if condition is None:
        entry.wrong("required", "mandatory, optional or conditional:<field>[=|~<value>|<value>]")
    return "conditional", condition


def _mask(entry: Reader, where: str, faults: list[Fault]) -> Mask | None:
    if not entry.has("mask"):
        return None
    table = Reader(entry.table("mask"), where, faults)
    return Mask(table.number("left", 0, 100, 0), table.number("right", 0, 100, 0))


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
        if field.sensitivity != "none" and terms.PERSON in item.subject_kinds and field.type != "string":
            faults.append(fault("DEFINITION_FAULT", field.code, rule="sensitivity: of a person a text, to be sealed"))
        if denylist.forbidden_name(field.name_zh, field.name_en, item.subject_kinds):
            faults.append(fault("ATTRIBUTE_FORBIDDEN", field.code))
    for code in unknown(item.not_collected, [field.code for field in item.fields if field.type == "string"]):
        faults.append(fault("DEFINITION_FAULT", "not_collected", rule=f"fields: {code} is no text of the item"))
    return [*faults, *_standing_checks(item, known)]


def _standing_checks(item: Item, known: set[str]) -> list[Fault]:
    """Of the full form: days in order; the clock of the display and national fields name what there is."""
    standing = item.standing
    if standing.in_force_from is None:
        return []
    faults: list[Fault] = []
    if standing.until is not None and standing.until < standing.in_force_from:
        faults.append(fault("DEFINITION_FAULT", "until", rule="until: not before in_force_from"))
    named = {"display.clock": [standing.display.clock], "national.fields": list(standing.national_fields)}
    for place, names in named.items():
        if any(name not in known for name in names):
            faults.append(fault("DEFINITION_FAULT", place, rule=f"{place}: names a field that the item does not have"))
    return faults


ENVELOPE_NAMES = ("subject_kind", "subject_code_kind", "subject_code", "subject_name", "decided_on")

__all__ = ["ENVELOPE_NAMES", "DisplayRule", "Field", "Item", "LegalBasis", "Mask", "Standing", "parse"]
