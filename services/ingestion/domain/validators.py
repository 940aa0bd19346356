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
    content = {"string": _text, "decimal": _decimal, "date": _date, "int": _number, "money_fen": _number}.get(field.type)

    def check(values: Values) -> Iterator[Fault]:
        value = values.get(field.code)
        if value is None or (isinstance(value, str) and not value.strip()):
            yield from _missing(field, values)
        elif content is not None:
            yield from content(field, value, values)
            yield from _agreement(field, value, values)

    return check


def _missing(field: Field, values: Values) -> Iterator[Fault]:
    if field.required == "mandatory":
        yield fault("FIELD_MISSING", field.code, _example(field), name=field.name_zh, rule="mandatory")
    elif field.condition is not None and field.condition.holds(values):
        rule = f"mandatory when {field.condition.text}"
        yield fault("FIELD_MISSING", field.code, _example(field), name=field.name_zh, rule=rule)


def _text(field: Field, value: str, values: Values) -> Iterator[Fault]:
    if len(value) > field.max_length:
        yield fault("FIELD_LENGTH", field.code, _example(field), name=field.name_zh, limit=field.max_length)
    if CONTROL.search(value):
        yield fault("FIELD_CHARACTERS", field.code, _example(field), name=field.name_zh)
    if holds_identity_number(value):
        yield fault("FORBIDDEN_CONTENT", field.code, _example(field), name=field.name_zh)
    if field.code_list and not in_code_list(field, value):
        rule = "、".join(field.code_list) + (f"（{field.separator}分隔）" if field.separator else "")
        yield fault("FIELD_CODE_LIST", field.code, _example(field), name=field.name_zh, rule=rule)
    if field.format and not fits(field.format, value, values.get(COMPANIONS.get(field.format, ""))):
        rule = FORMAT_RULES[field.format]
        yield fault("FIELD_FORMAT", field.code, _example(field), name=field.name_zh, rule=rule)


def in_code_list(field: Field, value: str) -> bool:
    """Whether a value, or each of several, is in the list; an entry ending in * takes any continuation."""
    parts = value.split(field.separator) if field.separator else (value,)
    return all(_listed(field.code_list, part) for part in parts)


def _listed(entries: tuple[str, ...], value: str) -> bool:
    return value in entries or any(e.endswith("*") and value.startswith(e[:-1]) for e in entries)


def _decimal(field: Field, value: str, values: Values) -> Iterator[Fault]:
    if not DECIMAL.fullmatch(value):
        rule = "unit 万元, at most 12 digits before and 6 after the point"
        yield fault("FIELD_FORMAT", field.code, _example(field), name=field.name_zh, rule=rule)


def _date(field: Field, value: int, values: Values) -> Iterator[Fault]:
    if not FIRST_DAY <= value <= LAST_DAY:
        yield _range(field, "1900-01-01", "2199-12-31")
    other = values.get(field.not_before) if field.not_before else None
    if isinstance(other, int) and value < other:
        yield fault("FIELD_ORDER", field.code, _example(field), name=field.name_zh, other=field.not_before)


def _number(field: Field, value: int, values: Values) -> Iterator[Fault]:
    if not field.minimum <= value <= field.maximum:
        yield _range(field, field.minimum, field.maximum)


def _range(field: Field, low: object, high: object) -> Fault:
    return fault("FIELD_RANGE", field.code, _example(field), name=field.name_zh, low=low, high=high)


def _agreement(field: Field, value: object, values: Values) -> Iterator[Fault]:
    """A field that repeats the envelope must say the same; a code field does so only when the subject has that code."""
    if not field.same_as or (field.same_as == "subject_code" and values.get("subject_code_kind") != "uscc"):
        return
    if value != values.get(field.same_as):
        yield fault("FIELD_DISAGREES", field.code, _example(field), name=field.name_zh, other=field.same_as)


def _example(field: Field) -> str:
    if field.code_list:
        return field.code_list[0].removesuffix("*")
    return EXAMPLES.get(field.format) or EXAMPLES.get(field.type, "")
