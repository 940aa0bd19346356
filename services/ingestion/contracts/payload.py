"""A payload as JSON or texts -> the item's Avro, by its fields; what no message can hold is told, all of it at once.

What a message can hold and is wrong is no matter of this door: ingestion answers it with a receipt, as on the topic.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

import fastavro

from services.chassis.wire import frame
from services.ingestion.contracts.edition import Edition
from services.ingestion.domain.definition import Field
from services.ingestion.domain.submission import Envelope
from services.ingestion.domain.validators import EPOCH

LARGEST = 900_000  # bytes of a value; the broker takes 1,000,000 with everything around it
LOWEST, HIGHEST = -(2**63), 2**63 - 1
NAME = 64  # characters of a name that is repeated to its sender


class PayloadFault(Exception):
    """No message can be made of it; the reasons, each with its field and never with a value."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def object_of(text: str) -> dict[str, Any]:
    """A JSON object; raises `PayloadFault`. Numbers with a point stay exact."""
    try:
        found: Any = json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, RecursionError, ArithmeticError):
        raise PayloadFault(["payload_json: a JSON object is needed, every name once"]) from None
    if not isinstance(found, dict):
        raise PayloadFault(["payload_json: a JSON object is needed"])
    return cast("dict[str, Any]", found)


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def framed(edition: Edition, envelope: Envelope, payload: Mapping[str, Any]) -> bytes:
    """The submission as a stock serializer would write it; raises `PayloadFault`."""
    reasons = [f"{name}: not text" for name, text in envelope._asdict().items() if not _is_text(text)]
    known = {field.code for field in edition.item.fields}
    reasons += [f"{name[:NAME]!a}: no field of {edition.item.code}" for name in payload if name not in known]
    values = {field.code: _value(field, payload.get(field.code), reasons) for field in edition.item.fields}
    if reasons:
        raise PayloadFault(reasons)
    out = io.BytesIO()
    cast(Any, fastavro).schemaless_writer(out, edition.schema, {**envelope._asdict(), "payload": values})
    value = frame(edition.schema_id, out.getvalue())
    if len(value) > LARGEST:
        raise PayloadFault([f"payload: more than {LARGEST} bytes"])
    return value


def day_of(text: str) -> int:
    """YYYY-MM-DD as days since 1970; raises `ValueError`."""
    if len(text) != 10:
        raise ValueError("no day")
    return date.fromisoformat(text).toordinal() - EPOCH


def _is_text(value: object) -> bool:
    """Half a surrogate pair, which JSON can spell, is no text."""
    return not isinstance(value, str) or value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def _value(field: Field, given: Any, reasons: list[str]) -> Any:
    if given is None or (given == "" and field.type not in ("string", "decimal")):
        return _missing(field, reasons)
    convert, wanted = CONVERSIONS[field.type]
    try:
        return convert(given)
    except (ValueError, TypeError, ArithmeticError):
        reasons.append(f"{field.code}: {wanted} is needed")
        return None


def _missing(field: Field, reasons: list[str]) -> Any:
    if field.required != "mandatory":
        return None
    if field.type in ("string", "decimal"):
        return ""  # for ingestion to explain
    reasons.append(f"{field.code}: required")
    return None


def _text(given: Any) -> str:
    if not isinstance(given, str) or not _is_text(given):
        raise TypeError
    return given


def _decimal(given: Any) -> str:
    if isinstance(given, (int, Decimal)) and not isinstance(given, bool):
        if isinstance(given, Decimal) and not -20 < given.adjusted() < 20:
            raise ValueError
        return f"{given:f}" if isinstance(given, Decimal) else str(given)
    return _text(given)


def _whole(given: Any) -> int:
    number = int(given) if isinstance(given, str) and len(given) <= 20 and given.isascii() else given
    if not isinstance(number, int) or isinstance(number, bool) or not LOWEST <= number <= HIGHEST:
        raise TypeError
    return number


def _truth(given: Any) -> bool:
    found = {"true": True, "false": False}.get(given, given) if isinstance(given, str) else given
    if not isinstance(found, bool):
        raise TypeError
    return found


CONVERSIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "string": (_text, "a text"),
    "decimal": (_decimal, "a number, or a text of one,"),
    "date": (lambda given: day_of(_text(given)), "a date such as 2017-03-29"),
    "int": (_whole, "a whole number"),
    "money_fen": (_whole, "a whole number of 分"),
    "bool": (_truth, "true or false"),
}
