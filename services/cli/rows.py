"""Rows of a file -> submissions: columns by field code or Chinese name, the envelope by the item's envelope_columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import blake2b
from typing import Any, NamedTuple

from services.cli.catalogue import Item
from services.kernel.text import narrowed

ENVELOPE = ("source_unit", "action", "record_no", "subject_kind", "subject_code_kind", "subject_code", "subject_name")
EMPTY = frozenset({"", "N/A"})  # how the public register writes a missing value
SOLE_TRADER = "92"  # the first two characters of a sole trader's (个体工商户) code
CODE_KINDS = {18: "uscc", 15: "reg_no", 13: "reg_no", 9: "org_code", 10: "org_code"}


class RowFault(Exception):
    """A row that no submission can be made of; names the column, never its value."""


class Sender(NamedTuple):
    """Who submits, and the moment at which this file was sent (milliseconds since 1970)."""

    agency: str
    run: str
    at_ms: int


def submission(item: Item, sender: Sender, number: int, row: Mapping[str, str]) -> dict[str, Any]:
    """The record of one row, as the item's schema wants it; raises `RowFault`."""
    values = {name.strip(): _filled(text) for name, text in row.items() if name}
    payload = {field["code"]: _value(field, values) for field in item.definition["fields"]}
    named = _envelope(item, values)
    code = named["subject_code"]
    return {
        "submission_id": f"{sender.run}-{number}",
        "item": item.code,
        "agency": sender.agency,
        "source_unit": named["source_unit"],
        "action": named["action"] or "report",
        "record_no": named["record_no"] or content_no(row.values()),
        "subject_kind": named["subject_kind"] or kind_of(code, item.definition["subject_kinds"]),
        "subject_code_kind": named["subject_code_kind"] or CODE_KINDS.get(len(code), "uscc"),
        "subject_code": code,
        "subject_name": named["subject_name"],
        "decided_on": _decided_on(item, values),
        "produced_at": sender.at_ms,
        "payload": payload,
    }


def _filled(text: str | None) -> str | None:
    return None if text is None or text.strip() in EMPTY else text.strip()


def _envelope(item: Item, values: Mapping[str, str | None]) -> dict[str, str]:
    columns: Mapping[str, str] = item.definition["envelope_columns"]
    return {name: values.get(name) or values.get(columns.get(name, name)) or "" for name in ENVELOPE}


def _decided_on(item: Item, values: Mapping[str, str | None]) -> date:
    column = str(item.definition["envelope_columns"]["decided_on"])
    return _date(column, values.get("decided_on") or values.get(column) or "")


def content_no(cells: Iterable[str]) -> str:
    """The number of a record whose file gives none: the same row has the same one, so sending it again is harmless."""
    return blake2b("\0".join(cells).encode(), digest_size=12).hexdigest()


def kind_of(code: str, allowed: Iterable[str]) -> str:
    """A sole trader's code begins with 92; everybody else with a code is an organisation."""
    sole = narrowed(code).startswith(SOLE_TRADER) and "sole_trader" in allowed
    return "sole_trader" if sole else "org"


def _value(field: Mapping[str, Any], values: Mapping[str, str | None]) -> Any:
    """A cell as the field's type; a mandatory text that is missing is sent empty, for ingestion to explain."""
    text = values.get(field["code"]) or values.get(field["name_zh"])
    if text is None:
        return "" if field["required"] == "mandatory" and field["type"] in ("string", "decimal") else None
    convert = {"date": _date, "int": _number, "money_fen": _number}.get(field["type"])
    return convert(field["name_zh"], text) if convert else text


def _date(column: str, text: str) -> date:
    try:
        return date.fromisoformat(text.replace("/", "-")[:10])
    except ValueError:
        raise RowFault(f"{column}: a date such as 2017-03-29 is needed") from None


def _number(column: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RowFault(f"{column}: a whole number is needed") from None
