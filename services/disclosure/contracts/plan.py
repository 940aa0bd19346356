"""What to do with each field of a submission, by its writer's schema and the edition that says what may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, cast

from services.disclosure.domain.edition import Edition

ENVELOPE = ("subject_code_kind", "subject_code", "subject_name", "decided_on")


class Act(Enum):
    """What is done with a field."""

    SKIP = "skip"
    KEEP = "keep"  # for the provenance
    SHOW = "show"


class Step(NamedTuple):
    """One field, in the order of the schema; `kind` as `TYPES` has it. Nothing of the envelope may be null."""

    act: Act
    kind: str
    name: str
    optional: bool = False


def plan(schema: Mapping[str, Any], edition: Edition, person: bool) -> list[Step] | None:
    """The steps; None where there is a type in it, or a place for it, that only a decoder knows."""
    shown = {rule.code for rule in edition.rules if not (person and rule.names_subject)}
    try:
        return list(_steps(schema, shown))
    except (_Unknown, KeyError, TypeError):
        return None


class _Unknown(Exception):
    """A type that no step is made for."""


def _steps(schema: Mapping[str, Any], shown: set[str]) -> Iterator[Step]:
    top = cast("Sequence[Mapping[str, Any]]", schema["fields"])
    if {*ENVELOPE, "payload"} - {field["name"] for field in top}:
        raise _Unknown
    for field in top:
        if field["name"] == "payload":
            yield from (_payload(inner, shown) for inner in field["type"]["fields"])
        else:
            yield _envelope(field)


def _envelope(field: Mapping[str, Any]) -> Step:
    kind, optional = _kind(field["type"])
    name: str = field["name"]
    if optional or (name in ENVELOPE and kind != ("date" if name == "decided_on" else "string")):
        raise _Unknown
    return Step(Act.KEEP if name in ENVELOPE else Act.SKIP, kind, name)


def _payload(field: Mapping[str, Any], shown: set[str]) -> Step:
    kind, optional = _kind(field["type"])
    name: str = field["name"]
    if name in shown and kind not in SHOWN:
        raise _Unknown
    return Step(Act.SHOW if name in shown else Act.SKIP, kind, name, optional)


def _kind(avro: Any) -> tuple[str, bool]:
    """What a field's type is called here, and whether it may be null."""
    if isinstance(avro, list):
        if len(cast("list[Any]", avro)) != 2 or avro[0] != "null":
            raise _Unknown
        return _kind(avro[1])[0], True
    written = cast("Mapping[str, str]", avro) if isinstance(avro, dict) else {"type": str(avro)}
    found = TYPES.get((written["type"], written.get("logicalType")))
    if found is None:
        raise _Unknown
    return found, False


SHOWN = frozenset({"string", "date", "long", "boolean"})
TYPES: dict[tuple[str, str | None], str] = {
    ("string", None): "string",
    ("bytes", None): "bytes",
    ("int", None): "long",
    ("long", None): "long",
    ("int", "date"): "date",
    ("long", "timestamp-millis"): "moment",
    ("boolean", None): "boolean",
    ("float", None): "float",
    ("double", None): "double",
}
