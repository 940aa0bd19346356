"""The validator of an item, compiled from its fields: every fault of a payload at once, each with a good example."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import chain
from typing import Any

from services.ingestion.domain import received
from services.ingestion.domain.clauses import clause, keeping_out
from services.ingestion.domain.definition import Field, Item
from services.ingestion.domain.examples import example
from services.ingestion.domain.faults import Fault, cited, fault
from services.ingestion.domain.formats import COMPANIONS, FORMAT_RULES, fits, place
from services.ingestion.domain.identifiers import identity_number_at
from services.ingestion.domain.not_collected import SUBJECT_NAME

Values = Mapping[str, Any]  # envelope and payload values by name; dates as days since 1970
Check = Callable[[Values], Iterator[Fault]]

EPOCH = date(1970, 1, 1).toordinal()
FIRST_DAY = date(1900, 1, 1).toordinal() - EPOCH
LAST_DAY = date(2199, 12, 31).toordinal() - EPOCH
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")  # tab and line ends are allowed
DECIMAL = re.compile(r"(?:0|[1-9]\d{0,11})(?:\.\d{1,6})?", re.ASCII)


def compile_validator(item: Item) -> Callable[[Values], list[Fault]]:
    """A function that states every fault of one payload."""
    checks = [_check(field, clause(item, field.code), _kept_out(item, field)) for field in item.fields]

    def validate(values: Values) -> list[Fault]:
        return [found for check in checks for found in check(values)]

    return validate


def _check(field: Field, where: str, kept_out: Check) -> Check:
    content = CONTENT[field.type]

    def check(values: Values) -> Iterator[Fault]:
        value = values.get(field.code)
        if value is None or (isinstance(value, str) and not value.strip()):
            found = _missing(field, value, values)
        elif told := list(kept_out(values)):
            return iter(told)  # that it is not in a code list either is no news
        else:
            found = chain(content(field, value, values), _agreement(field, value, values))
        return (cited(each, where) for each in found)

    return check


def _kept_out(item: Item, field: Field) -> Check:
    """What the law keeps out of the item and this field shows, each with its law."""
    rules = [(rule, keeping_out(item, field.code, rule)) for rule in item.not_collected if field.code in rule.fields]

    def check(values: Values) -> Iterator[Fault]:
        for rule, where in rules:
            text = str(values[field.code])
            if at := rule.found(text, str(values.get(SUBJECT_NAME) or "")):
                told = received.text(text, at)
                wrong = _wrong(field, "NOT_COLLECTED", told, rule.example, rule=rule.en, rule_zh=rule.zh)
                yield cited(wrong, where)

    return check


def _missing(field: Field, value: str | None, values: Values) -> Iterator[Fault]:
    told = received.text(value)
    if field.required == "mandatory":
        yield _wrong(field, "FIELD_MISSING", told, rule="mandatory", rule_zh="必填项")
    elif field.condition is not None and field.condition.holds(values):
        text = field.condition.text
        yield _wrong(field, "FIELD_MISSING", told, rule=f"mandatory when {text}", rule_zh=f"当{text}时")


def _wrong(field: Field, code: str, told: str, right: str = "", **values: object) -> Fault:
    return fault(code, field.code, right or example(field), told, name=field.name_zh, **values)


def _text(field: Field, value: str, values: Values) -> Iterator[Fault]:
    if len(value) > field.max_length:
        yield _wrong(field, "FIELD_LENGTH", received.text(value, field.max_length + 1), limit=field.max_length)
    if found := CONTROL.search(value):
        yield _wrong(field, "FIELD_CHARACTERS", received.text(value, found.start() + 1))
    if at := identity_number_at(value):
        yield _wrong(field, "FORBIDDEN_CONTENT", received.text(value, at))
    if field.code_list and not in_code_list(field, value):
        rule = "、".join(field.code_list) + (f"（{field.separator}分隔）" if field.separator else "")
        yield _wrong(field, "FIELD_CODE_LIST", _unlisted(field, value), rule=rule)
    if field.format and not fits(field.format, value, values.get(COMPANIONS.get(field.format, ""))):
        rule, rule_zh = FORMAT_RULES[field.format]
        yield _wrong(
            field, "FIELD_FORMAT", received.text(value, place(field.format, value)), rule=rule, rule_zh=rule_zh
        )


def in_code_list(field: Field, value: str) -> bool:
    """Whether a value, or each of several, is in the list; an entry ending in * takes any continuation."""
    parts = value.split(field.separator) if field.separator else (value,)
    return all(_listed(field.code_list, part) for part in parts)


def _unlisted(field: Field, value: str) -> str:
    """The first of several values that is not in the list, and which one it is."""
    parts = value.split(field.separator) if field.separator else [value]
    wrong = next(n for n, part in enumerate(parts) if not _listed(field.code_list, part))
    told = received.nearest(parts[wrong], field.code_list)
    return f"part={wrong + 1} {told}" if len(parts) > 1 else told


def _listed(entries: tuple[str, ...], value: str) -> bool:
    return value in entries or any(e.endswith("*") and value.startswith(e[:-1]) for e in entries)


def _decimal(field: Field, value: str, values: Values) -> Iterator[Fault]:
    if not DECIMAL.fullmatch(value):
        rule, rule_zh = FORMAT_RULES["decimal"]
        yield _wrong(field, "FIELD_FORMAT", received.text(value), rule=rule, rule_zh=rule_zh)


def _date(field: Field, value: int, values: Values) -> Iterator[Fault]:
    if not FIRST_DAY <= value <= LAST_DAY:
        told = received.day(value, FIRST_DAY if value < FIRST_DAY else LAST_DAY)
        yield _wrong(field, "FIELD_RANGE", told, low="1900-01-01", high="2199-12-31")
    other = values.get(field.not_before) if field.not_before else None
    if isinstance(other, int) and value < other:
        yield _wrong(field, "FIELD_ORDER", received.day(value, other), f">= {field.not_before}", other=field.not_before)


def _number(field: Field, value: int, values: Values) -> Iterator[Fault]:
    if not field.minimum <= value <= field.maximum:
        told = received.number(value, field.minimum)
        yield _wrong(field, "FIELD_RANGE", told, low=field.minimum, high=field.maximum)


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


def _agreement(field: Field, value: object, values: Values) -> Iterator[Fault]:
    """A field that repeats the envelope must say the same; a code field does so only when the subject has that code."""
    if not field.same_as or (field.same_as == "subject_code" and values.get("subject_code_kind") != "uscc"):
        return
    other = values.get(field.same_as)
    if value != other:
        yield _wrong(field, "FIELD_DISAGREES", _difference(value, other), f"= {field.same_as}", other=field.same_as)


def _difference(value: object, other: object) -> str:
    if isinstance(value, str) and isinstance(other, str):
        return received.compared(value, other)
    return received.day(value, other) if isinstance(value, int) and isinstance(other, int) else received.ABSENT
