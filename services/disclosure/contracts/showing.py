"""What may be shown of a submission, cut out of its bytes: straight-line code made from writer's schema and edition.

Ingestion has validated every field, so a text is copied as it lies there, its length in front: an Avro map wants the
same. Decoding into a dict and encoding it anew, once for each feed, cost two thirds of this service's time. A schema
with a type that is not known here is decoded by fastavro instead; a property test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, cast

from services.chassis.errors import Unhandleable
from services.chassis.prefix import read_length, read_long, read_optional
from services.chassis.wire import avro_bytes, zigzag
from services.disclosure.contracts.fields import EncodedFields
from services.disclosure.domain.edition import Edition, text_of

EPOCH = date(1970, 1, 1).toordinal()
ENVELOPE = ("subject_code_kind", "subject_code", "subject_name", "decided_on")


class Cut(NamedTuple):
    """What disclosure wants of a submission; `decided_on` counts days since 1970."""

    subject_code_kind: str
    subject_code: str
    subject_name: str
    decided_on: int
    fields: EncodedFields


Shower = Callable[[bytes, int], Cut]

_LENGTH = """
    n = data[at]
    if n < 128 and not n & 1:
        at += 1
    else:
        n, at = read_length(data, at); n <<= 1"""
_TEXT = (
    _LENGTH
    + """
    end = at + (n >> 1); {target} = data[at:end].decode(); at = end"""
)
_SKIP_TEXT = (
    _LENGTH
    + """
    at += n >> 1"""
)
_COPY = (
    """
    start = at"""
    + _LENGTH
    + """
    at += n >> 1
    add({key}); add(data[start:at])"""
)
_LONG = """
    {target}, at = read_long(data, at)"""
_BOOL = """
    {target} = data[at]; at += 1"""
_SKIP = """
    at += {size}"""
_SAY = """
    add({key}); add({say}({target}))"""
_OPTIONAL = """
    there, at = read_optional(data, at)
    if there:{inner}"""
_WHOLE = """
def show(data, at):
    parts = []
    add = parts.append
    {envelope} = None
    try:{body}
    except IndexError:
        raise Unhandleable("TRUNCATED") from None
    except UnicodeDecodeError:
        raise Unhandleable("NOT_UTF8") from None
    if at != len(data):
        raise Unhandleable("AVRO_UNREADABLE", "not the length that its schema says")
    head = zigzag(len(parts) >> 1) if parts else b""
    return Cut({values}, EncodedFields(head + b"".join(parts) + b"\\0"))
"""


class _Unknown(Exception):
    """A type that straight-line code is not made for."""


def compile_shower(schema: Mapping[str, Any], edition: Edition, person: bool) -> Shower | None:
    """A function (framed submission, where its body begins) -> cut; None where fastavro has to do it."""
    shown = {rule.code for rule in edition.rules if not (person and rule.names_subject)}
    names: dict[str, Any] = {
        "Unhandleable": Unhandleable, "read_length": read_length, "read_long": read_long,
        "read_optional": read_optional, "zigzag": zigzag, "Cut": Cut, "EncodedFields": EncodedFields,
        "day": _day, "number": _number, "truth": _truth,
    }  # fmt: skip
    try:
        body = "".join(_steps(schema, shown, names)).replace("\n", "\n    ")
    except (_Unknown, KeyError, TypeError):
        return None
    source = _WHOLE.format(body=body, envelope=" = ".join(ENVELOPE), values=", ".join(ENVELOPE))
    exec(compile(source, "<shower>", "exec"), names)  # noqa: S102 - constants above; names from the schema are values
    return cast("Shower", names["show"])


def _steps(schema: Mapping[str, Any], shown: set[str], names: dict[str, Any]) -> Iterator[str]:
    top = cast("Sequence[Mapping[str, Any]]", schema["fields"])
    if {*ENVELOPE, "payload"} - {field["name"] for field in top}:
        raise _Unknown
    for field in top:
        if field["name"] == "payload":
            yield from (_payload(inner, shown, names) for inner in field["type"]["fields"])
        else:
            yield _envelope(field)


def _envelope(field: Mapping[str, Any]) -> str:
    kind, _ = _kind(field["type"])
    name: str = field["name"]
    if name not in ENVELOPE:
        return _skip(kind)
    if kind != ("date" if name == "decided_on" else "string"):
        raise _Unknown
    return (_LONG if kind == "date" else _TEXT).format(target=name)


def _payload(field: Mapping[str, Any], shown: set[str], names: dict[str, Any]) -> str:
    kind, optional = _kind(field["type"])
    step = _show(kind, field["name"], names) if field["name"] in shown else _skip(kind)
    return _OPTIONAL.format(inner=step.replace("\n", "\n    ")) if optional else step


def _show(kind: str, code: str, names: dict[str, Any]) -> str:
    key = f"key{len(names)}"
    names[key] = avro_bytes(code.encode())
    if kind == "string":
        return _COPY.format(key=key)
    say = {"date": "day", "long": "number", "boolean": "truth"}.get(kind)
    if say is None:
        raise _Unknown
    read = (_BOOL if kind == "boolean" else _LONG).format(target="v")
    return read + _SAY.format(key=key, say=say, target="v")


def _skip(kind: str) -> str:
    if kind in ("string", "bytes"):
        return _SKIP_TEXT
    if kind in ("long", "date", "moment"):
        return _LONG.format(target="_")
    return _SKIP.format(size={"boolean": 1, "float": 4, "double": 8}[kind])


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


@lru_cache(maxsize=65_536)  # days of a century and more
def _day(days: int) -> bytes:
    try:
        return avro_bytes(text_of(date.fromordinal(EPOCH + days)).encode())
    except (ValueError, OverflowError):
        raise Unhandleable("NO_SUCH_DAY") from None


def _number(value: int) -> bytes:
    return avro_bytes(text_of(value).encode())


def _truth(value: int) -> bytes:
    return avro_bytes(text_of(bool(value)).encode())
