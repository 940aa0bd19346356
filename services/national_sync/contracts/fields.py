"""The national fields of a submission, cut out of its bytes: one call of the prefix reader, then the forms.

What it answers is what `to_national` makes of the decoded payload. Wherever it is not certain of that (a type it has
no reader for, a value without a national form, bytes that are none) the payload is decoded, and `to_national` answers
or explains; a property test holds both to the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple, cast

from services.chassis.errors import Unhandleable
from services.chassis.prefix import prefix_reader
from services.chassis.schemas import Schemas
from services.chassis.wire import HEAD, schema_id_of
from services.national_sync.contracts.linked import read_submission
from services.national_sync.domain.mapping import KINDS, FieldMapping, ItemMapping, to_national

EPOCH = date(1970, 1, 1).toordinal()
READ_AS = {
    "string": "string",
    "bytes": "bytes",
    "int": "long",
    "long": "long",
    "boolean": "fixed1",
    "float": "fixed4",
    "double": "fixed8",
}
DATE = ("int", "date")

Form = Callable[[Any], str]
Cutter = Callable[[bytes], "dict[str, str] | None"]


class _Unknown(Exception):
    """A type that the prefix reader is not made for."""


class _Field(NamedTuple):
    name: str
    type: tuple[str, str | None]  # with its logical type
    read_as: str


class NationalFields:
    """One cutter for each schema and mapping, made when it is first met."""

    def __init__(self, schemas: Schemas, mappings: Mapping[str, ItemMapping]) -> None:
        self._schemas = schemas
        self._mappings = mappings
        self._cutters: dict[tuple[int, str], Cutter | None] = {}

    def of(self, item: str, submission: bytes) -> dict[str, str]:
        """The national fields that have a value; raises `Unmappable`, and `Unhandleable` for what cannot be read."""
        cut = self._cutter(item, submission)
        found = cut(submission) if cut is not None else None
        if found is not None:
            return found
        return to_national(self._mappings[item], read_submission(self._schemas, submission)["payload"])

    def _cutter(self, item: str, submission: bytes) -> Cutter | None:
        schema_id = schema_id_of(submission)
        schema = None if schema_id is None else self._schemas.get(schema_id)
        if schema_id is None or schema is None:
            return None  # it may become known
        if (schema_id, item) not in self._cutters:
            self._cutters[schema_id, item] = compile_cutter(schema, self._mappings[item])
        return self._cutters[schema_id, item]


def compile_cutter(schema: Mapping[str, Any], mapping: ItemMapping) -> Cutter | None:
    """A function (framed submission) -> its national fields, or None where it is not certain; None: never certain."""
    try:
        fields = list(_flat(schema))
        places = {field.name: place for place, field in enumerate(fields)}
        wanted = [
            (field.national, places[field.source], _form(field, fields[places[field.source]].type))
            for field in mapping.fields
            if field.source in places
        ]
    except (_Unknown, KeyError, TypeError):
        return None
    read = prefix_reader([field.read_as for field in fields])

    def cut(submission: bytes) -> dict[str, str] | None:
        try:
            values = read(submission, HEAD.size)
            found: dict[str, str] = {}
            for national, place, form in wanted:
                if (value := values[place]) is not None and value != "":
                    found[national] = value if form is None else form(value)
        except (Unhandleable, TypeError, ValueError, OverflowError):
            return None
        return found if values[-1] == len(submission) else None

    return cut


def _flat(schema: Mapping[str, Any]) -> Iterator[_Field]:
    """The fields in the order of the bytes: those of the envelope under no name, then those of the payload."""
    top = cast("Sequence[Mapping[str, Any]]", schema["fields"])
    if top[-1]["name"] != "payload":
        raise _Unknown
    yield from (_field("", field["type"]) for field in top[:-1])
    yield from (_field(field["name"], field["type"]) for field in top[-1]["type"]["fields"])


def _field(name: str, avro: Any) -> _Field:
    if isinstance(avro, list):
        if len(cast("list[Any]", avro)) != 2 or avro[0] != "null":
            raise _Unknown
        inner = _field(name, avro[1])
        return inner._replace(read_as=inner.read_as + "?")
    written = cast("Mapping[str, str]", avro) if isinstance(avro, dict) else {"type": str(avro)}
    if written["type"] not in READ_AS or isinstance(avro, list):
        raise _Unknown
    return _Field(name, (written["type"], written.get("logicalType")), READ_AS[written["type"]])


def _form(field: FieldMapping, written: tuple[str, str | None]) -> Form | None:
    """What makes the national text of a value as it is read; None: it is that already."""
    if field.kind == "date" and written == DATE:
        return _day
    if field.kind == "text" and written == ("string", None):
        return None
    if written in (("string", None), ("long", None), ("int", None)) and field.kind in ("code", "wan_yuan"):
        return KINDS[field.kind]
    raise _Unknown


@lru_cache(maxsize=65_536)  # days of a century and more
def _day(days: int) -> str:
    return KINDS["date"](date.fromordinal(EPOCH + days))
