"""What may be shown of a submission, cut out of its bytes: straight-line code made from writer's schema and edition.

Ingestion has validated every field, so a text is copied as it lies there, its length in front: an Avro map wants the
same. Decoding into a dict and encoding it anew, once for each feed, cost two thirds of this service's time. A schema
with a type that is not known here is decoded by fastavro instead; a property test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, cast

from services.chassis.errors import Unhandleable
from services.chassis.prefix import read_length, read_long, read_optional
from services.chassis.wire import avro_bytes, zigzag
from services.disclosure.contracts.fields import EncodedFields
from services.disclosure.contracts.plan import ENVELOPE, Act, Step, plan
from services.disclosure.domain.edition import Edition, text_of

EPOCH = date(1970, 1, 1).toordinal()


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


def compile_shower(schema: Mapping[str, Any], edition: Edition, person: bool) -> Shower | None:
    """A function (framed submission, where its body begins) -> cut; None where fastavro has to do it."""
    steps = plan(schema, edition, person)
    if steps is None:
        return None
    names: dict[str, Any] = {
        "Unhandleable": Unhandleable, "read_length": read_length, "read_long": read_long,
        "read_optional": read_optional, "zigzag": zigzag, "Cut": Cut, "EncodedFields": EncodedFields,
        "day": _day, "number": _number, "truth": _truth,
    }  # fmt: skip
    body = "".join(_step(step, names) for step in steps).replace("\n", "\n    ")
    source = _WHOLE.format(body=body, envelope=" = ".join(ENVELOPE), values=", ".join(ENVELOPE))
    exec(compile(source, "<shower>", "exec"), names)  # noqa: S102 - constants above; names from the schema are values
    return cast("Shower", names["show"])


def _step(step: Step, names: dict[str, Any]) -> str:
    if step.act is Act.KEEP:
        return (_LONG if step.kind == "date" else _TEXT).format(target=step.name)
    source = _show(step, names) if step.act is Act.SHOW else _skip(step.kind)
    return _OPTIONAL.format(inner=source.replace("\n", "\n    ")) if step.optional else source


def _show(step: Step, names: dict[str, Any]) -> str:
    key = f"key{len(names)}"
    names[key] = avro_bytes(step.name.encode())
    if step.kind == "string":
        return _COPY.format(key=key)
    say = {"date": "day", "long": "number", "boolean": "truth"}[step.kind]
    read = (_BOOL if step.kind == "boolean" else _LONG).format(target="v")
    return read + _SAY.format(key=key, say=say, target="v")


def _skip(kind: str) -> str:
    if kind in ("string", "bytes"):
        return _SKIP_TEXT
    if kind in ("long", "date", "moment"):
        return _LONG.format(target="_")
    return _SKIP.format(size={"boolean": 1, "float": 4, "double": 8}[kind])


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
