"""Header first, whatever edition wrote it: a value brought to the edition whose fields a prefix reader knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from services.chassis.errors import Unhandleable
from services.chassis.wire import unframe


class Codec(Protocol):
    """The part of `Schemas` that is needed."""

    def schema_id(self, name: str) -> int: ...
    def encode(self, name: str, record: Mapping[str, Any]) -> bytes: ...
    def decode(self, framed: bytes) -> tuple[int, dict[str, Any]]: ...


def own_body(codec: Codec, name: str, fields: Iterable[str], value: bytes | None) -> bytes:
    """The body of a value of family `name` in our own edition; the usual case is that it already is.

    Another edition may have fields of its own anywhere: it is decoded as its writer wrote it and written anew with our
    `fields`, which must be all of our edition's. One that it lacks has the default of our edition; raises
    `Unhandleable` if it has none.
    """
    schema_id, body = unframe(value)
    if schema_id == codec.schema_id(name):
        return body
    _, record = codec.decode(value or b"")
    wanted = list(fields)
    missing = ", ".join(field for field in wanted if field not in record)
    try:
        return unframe(codec.encode(name, {field: record[field] for field in wanted if field in record}))[1]
    except ValueError:
        if not missing:
            raise
        raise Unhandleable("FIELD_MISSING", missing) from None
