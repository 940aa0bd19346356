"""The validator of an item, compiled from its fields: every fault of a payload at once, each with a good example."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from services.ingestion.domain.definition import Field, Item
from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.formats import COMPANIONS, EXAMPLES, FORMAT_RULES, fits
from services.ingestion.domain.identifiers import holds_identity_number

Values = Mapping[str, Any]  # envelope and payload values by name; dates as days since 1970
Check = Callable[[Values], Iterator[Fault]]

EPOCH = date(1970, 1, 1).toordinal()
FIRST_DAY = date(1900, 1, 1).toordinal() - EPOCH
LAST_DAY = date(2199, 12, 31).toordinal() - EPOCH
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")  # tab and line ends are allowed
DECIMAL = re.compile(r"(?:0|[1-9]\d{0,11})(?:\.\d{1,6})?", re.ASCII)


def compile_validator(item: Item) -> Callable[[Values], list[Fault]]:
    """A function that states every fault of one payload."""
    checks = [_check(field) for field in item.fields]

    def validate(values: Values) -> list[Fault]:
        return [found for check in checks for found in check(values)]

    return validate


def _check(field: Field) -> Check:
    content = CONTENT[field.type]

    def check(values: Values) -> Iterator[Fault]:
        value = values.get(field.code)
        if value is None or (isinstance(value, str) and not value.strip()):
            yield from _missing(field, values)
        else:
            yield from content(field, value, values)
            yield from _agreement(field, value, values)

    return check


def _missing(field: Field, values: Values) -> Iterator[Fault]:
    if field.required == "mandatory":
        yield _wrong(field, "FIELD_MISSING", rule="mandatory", rule_zh="必填项")
    elif field.condition is not None and field.condition.holds(values):
        text = field.condition.text
        yield _wrong(field, "FIELD_MISSING", rule=f"mandatory when {text}", rule_zh=f"当{text}时")


def _wrong(field: Field, code: str, **values: object) -> Fault:
    return fault(code, field.code, _example(field), name=field.name_zh, **values)


def _text(field: Field, value: str, values: Values) -> Iterator[Fault]:
    if len(value) > field.max_length:
        yield _wrong(field, "FIELD_LENGTH", limit=field.max_length)
    if CONTROL.search(value):
        yield _wrong(field, "FIELD_CHARACTERS")
    if holds_identity_number(value):
        yield _wrong(field, "FORBIDDEN_CONTENT")
    if field.code_list and not in_code_list(field, value):
        rule = "、".join(field.code_list) + (f"（{field.separator}分隔）" if field.separator else "")
        yield _wrong(field, "FIELD_CODE_LIST", rule=rule)
    if field.format and not fits(field.format, value, values.get(COMPANIONS.get(field.format, ""))):
        rule, rule_zh = FORMAT_RULES[field.format]
        yield _wrong(field, "FIELD_FORMAT", rule=rule, rule_zh=rule_zh)


def in_code_list(field: Field, value: str) -> bool:
    """Whether a value, or each of several, is in the list; an entry ending in * takes any continuation."""
    parts = value.split(field.separator) if field.separator else (value,)
    return all(_listed(field.code_list, part) for part in parts)


def _listed(entries: tuple[str, ...], value: str) -> bool:
    return value in entries or any(e.endswith("*") and value.startswith(e[:-1]) for e in entries)


def _decimal(field: Field, value: str, values: Values) -> Iterator[Fault]:
    if not DECIMAL.fullmatch(value):
        rule, rule_zh = FORMAT_RULES["decimal"]
        yield _wrong(field, "FIELD_FORMAT", rule=rule, rule_zh=rule_zh)


def _date(field: Field, value: int, values: Values) -> Iterator[Fault]:
    if not FIRST_DAY <= value <= LAST_DAY:
        yield _range(field, "1900-01-01", "2199-12-31")
    other = values.get(field.not_before) if field.not_before else None
    if isinstance(other, int) and value < other:
        yield _wrong(field, "FIELD_ORDER", other=field.not_before)


def _number(field: Field, value: int, values: Values) -> Iterator[Fault]:
    if not field.minimum <= value <= field.maximum:
        yield _range(field, field.minimum, field.maximum)


def _truth(field: Field, value: bool, values: Values) -> Iterator[Fault]:
    return iter(())  # both are right


CONTENT: dict[str, Callable[[Field, Any, Values], Iterator[Fault]]] = {
    "string": _text,
    "decimal": _decimal,
    "date": _date,
    "int": _number,
    "money_fen": _number,
    "bool": _truth,
}


def _range(field: Field, low: object, high: object) -> Fault:
    return _wrong(field, "FIELD_RANGE", low=low, high=high)


def _agreement(field: Field, value: object, values: Values) -> Iterator[Fault]:
    """A field that repeats the envelope must say the same; a code field does so only when the subject has that code."""
    if not field.same_as or (field.same_as == "subject_code" and values.get("subject_code_kind") != "uscc"):
        return
    if value != values.get(field.same_as):
        yield _wrong(field, "FIELD_DISAGREES", other=field.same_as)


def _example(field: Field) -> str:
    if field.code_list:
        return field.code_list[0].removesuffix("*")
    return EXAMPLES.get(field.format) or EXAMPLES.get(field.type, "")
