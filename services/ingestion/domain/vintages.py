"""Earlier field sets of an item (domain §4.1): how a file of each is told by its header and what its columns mean.

The table `vintages` is published with the item; the file door reads it. Here it is only checked, all faults at once:
a column that leads nowhere, or a shape that cannot be told from another, would be found by an agency otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from services.ingestion.domain.faults import Fault, fault
from services.ingestion.domain.terms import PERSON, SUBJECT_KINDS, VERIFICATIONS

UNITS = ("wan", "yuan", "fen")  # 万元, 元, 分
CODES = ("uscc", "org_code", "reg_no")
ENVELOPE = ("source_unit", "action", "record_no", "subject_kind")  # what a column may fill beside the fields
TOP = ("source", "verification", "codes", "kind_field", "kinds", "long_term", "simple_procedure", "shapes")
SHAPE = ("name", "marks", "columns", "person", "organisation", "unsent", "open_only")
COLUMN = ("to", "from", "unit", "values", "join", "like")
Table = Mapping[str, Any]


def check(definition: Table, fields: Collection[str]) -> tuple[Fault, ...]:
    """What is wrong with `vintages` and `business_key` of a definition with these field codes; neither is needed."""
    found = [*_business_key(definition.get("business_key", []), fields)]
    if "vintages" in definition:
        found += _vintages(definition["vintages"], fields, definition.get("subject_kinds") == [PERSON])
    return tuple(fault("DEFINITION_FAULT", where, rule=f"{where}: {rule}") for where, rule in found)


Wrong = Iterator[tuple[str, str]]  # where, which rule


def _business_key(value: object, fields: Collection[str]) -> Wrong:
    if not _texts(value) or not set(cast("list[str]", value)) <= {*fields, "subject_code"}:
        yield "business_key", "fields of the item, or subject_code"


def _vintages(value: object, fields: Collection[str], of_persons: bool) -> Wrong:
    table = _table(value)
    if table is None:
        yield "vintages", "a table"
        return
    yield from _unknown("vintages", table, TOP)
    if not table.get("source") or not _one_of(table.get("verification"), VERIFICATIONS):
        yield "vintages.source", "a source, and a verification of " + ", ".join(VERIFICATIONS)
    if not (of_persons and not table.keys() & {"codes", "kind_field", "kinds"}):  # a person has no code of these
        yield from _subject(table, fields)
    yield from _long_term(table.get("long_term", {}), fields)
    yield from _words("vintages.simple_procedure", table.get("simple_procedure", {}), ("columns", "words"))
    yield from _shapes(table.get("shapes"), fields)


def _subject(table: Table, fields: Collection[str]) -> Wrong:
    codes = _table(table.get("codes"))
    if not codes or not set(codes) <= set(CODES) or not all(_one_of(name, fields) for name in codes.values()):
        yield "vintages.codes", "of uscc, org_code, reg_no the field that holds it"
    if not _one_of(table.get("kind_field"), fields):
        yield "vintages.kind_field", "a field of the item"
    yield from _words("vintages.kinds", table.get("kinds"), SUBJECT_KINDS)


def _long_term(value: object, fields: Collection[str]) -> Wrong:
    yield from _words("vintages.long_term", value, ("fields", "words", "day"), lists=("fields", "words"))
    named: object = (_table(value) or {}).get("fields", [])
    if _texts(named) and not set(cast("list[str]", named)) <= set(fields):
        yield "vintages.long_term.fields", "fields of the item"


def _words(where: str, value: object, names: Sequence[str], lists: Sequence[str] | None = None) -> Wrong:
    table = _table(value)
    if table is None:
        yield where, "a table of " + ", ".join(names)
        return
    yield from _unknown(where, table, names)
    for name in table.keys() & set(names if lists is None else lists):
        if not _texts(table[name]):
            yield f"{where}.{name}", "a list of texts"


def _shapes(listed: object, fields: Collection[str]) -> Wrong:
    shapes = cast("list[object]", listed) if isinstance(listed, list) else []
    if not shapes:
        yield "vintages.shapes", "at least one"
    marked: dict[str, str] = {}
    for number, value in enumerate(shapes):
        where, shape = f"vintages.shapes[{number}]", _table(value)
        if shape is None:
            yield where, "a table"
            continue
        yield from _shape(where, shape, fields)
        yield from _told_apart(where, shape, marked)


def _shape(where: str, shape: Table, fields: Collection[str]) -> Wrong:
    yield from _unknown(where, shape, SHAPE)
    if not isinstance(shape.get("name"), str) or not shape["name"]:
        yield f"{where}.name", "a name"
    for name in ("marks", "person", "organisation", "unsent"):
        if not _texts(shape.get(name, [])) or (name == "marks" and not shape.get(name)):
            yield f"{where}.{name}", "a list of column names"
    yield from _words(f"{where}.open_only", shape.get("open_only", {}), ("columns", "values"))
    columns: object = shape.get("columns", [])
    if not isinstance(columns, list):
        yield f"{where}.columns", "a list of tables"
        return
    for number, column in enumerate(cast("list[object]", columns)):
        yield from _column(f"{where}.columns[{number}]", column, fields)


def _told_apart(where: str, shape: Table, marked: dict[str, str]) -> Wrong:
    marks: object = shape.get("marks")
    for mark in cast("list[str]", marks) if _texts(marks) else ():
        other = marked.setdefault(mark, where)
        if other != where:
            yield f"{where}.marks", f"{mark} marks {other} too"


def _column(where: str, value: object, fields: Collection[str]) -> Wrong:
    column = _table(value)
    if column is None:
        yield where, "a table"
        return
    yield from _unknown(where, column, COLUMN)
    if not _one_of(column.get("to"), {*fields, *ENVELOPE}):
        yield f"{where}.to", "a field of the item or " + ", ".join(ENVELOPE)
    if not _texts(column.get("from", [])) or not (column.get("from") or column.get("like")):
        yield f"{where}.from", "a list of column names"
    for name, allowed in (("unit", UNITS), ("like", fields)):
        if name in column and not _one_of(column[name], allowed):
            yield f"{where}.{name}", "one of " + ", ".join(allowed)
    values = _table(column.get("values", {}))
    if values is None or not _texts(list(values.values())):
        yield f"{where}.values", "a table of texts"


def _unknown(where: str, table: Table, known: Sequence[str]) -> Wrong:
    for name in sorted(set(map(str, table)) - set(known)):
        yield f"{where}.{name}", "unknown; known are " + ", ".join(known)


def _table(value: object) -> Table | None:
    return cast(Table, value) if isinstance(value, Mapping) else None


def _one_of(value: object, allowed: Collection[str]) -> bool:
    return isinstance(value, str) and value in allowed


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) and entry for entry in cast("list[object]", value))
