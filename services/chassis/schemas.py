"""The Avro schemas this process knows: its own from `avro/`, everybody else's from the registry, cached for ever."""

from __future__ import annotations

import asyncio
import io
import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import fastavro
from fastavro.schema import SchemaParseException

from services.chassis import wire
from services.chassis.errors import Unhandleable
from services.chassis.registry import Registry

AVRO = Path(__file__).parents[2] / "avro"
PARALLEL = 4
ASK_AGAIN = 50  # batches: an id the registry did not know is asked for again, but not with every message that names it
_avro = cast(Any, fastavro)  # its types are partly unknown to the checker
UNREADABLE = (
    EOFError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,  # also UnicodeDecodeError
    struct.error,
)


class Schemas:
    """`encode` with the newest local edition of a family, `decode` with whatever edition wrote the value."""

    def __init__(self, registry_url: str, folder: Path = AVRO) -> None:
        self._registry = Registry(registry_url)
        self._texts = local_editions(folder)
        self._writers = {name: _parse(editions[-1]) for name, editions in self._texts.items()}
        self._ids: dict[str, int] = {}
        self._parsed: dict[int, Any] = {}
        self._missing: dict[int, int] = {}
        self._turns = 0

    async def __aenter__(self) -> Schemas:
        await self._registry.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._registry.__aexit__(kind, error, trace)

    async def register_all(self) -> None:
        """Register every local edition under its family; raises Transient while the registry is away."""
        await self._registry.set_compatibility()
        for name in self._texts:
            await self.register(name, f"{name}-value")

    async def register(self, name: str, subject: str) -> None:
        """Register the editions of a family under a subject, e.g. of a topic that a new sender brought."""
        for text in self._texts[name]:  # oldest first: the id that stays is that of the edition we write with
            self._ids[name] = await self.register_text(subject, text)

    async def register_text(self, subject: str, text: str) -> int:
        """Register a schema that is no file of ours (made from data); returns its id."""
        schema_id = await self._registry.register(subject, text)
        self._parsed[schema_id] = _parse(text)
        return schema_id

    def schema_id(self, name: str) -> int:
        """The id that the newest local edition has in the registry."""
        return self._ids[name]

    def get(self, schema_id: int) -> Any | None:
        """The parsed schema, or None if it is unknown; `resolve` comes before."""
        return self._parsed.get(schema_id)

    async def resolve(self, values: Iterable[bytes | None]) -> None:
        """Fetch the schemas these values name and nobody here has seen; raises Transient only if there are such."""
        self._turns += 1
        unknown = {i for i in map(wire.schema_id_of, values) if i is not None and i not in self._parsed}
        asked = [i for i in sorted(unknown) if self._missing.get(i, 0) <= self._turns]
        for at in range(0, len(asked), PARALLEL):
            await asyncio.gather(*map(self._fetch, asked[at : at + PARALLEL]))

    async def _fetch(self, schema_id: int) -> None:
        text = await self._registry.schema(schema_id)
        schema = None if text is None else _parse_foreign(text)
        if schema is None:
            self._missing[schema_id] = self._turns + ASK_AGAIN
        else:
            self._parsed[schema_id] = schema

    def encode(self, name: str, record: Mapping[str, Any]) -> bytes:
        """A value in the wire format; a field too many or too few is a bug here."""
        out = io.BytesIO()
        _avro.schemaless_writer(out, self._writers[name], record, strict_allow_default=True)
        return wire.frame(self._ids[name], out.getvalue())

    def decode(self, framed: bytes) -> tuple[int, dict[str, Any]]:
        """Schema id and record, read with the writer's schema; raises Unhandleable."""
        schema_id, body = wire.unframe(framed)
        schema = self._parsed.get(schema_id)
        if schema is None:
            raise Unhandleable("SCHEMA_UNKNOWN", str(schema_id))
        return schema_id, read_record(schema, body)


def read_record(schema: Any, body: bytes) -> dict[str, Any]:
    """One record and nothing behind it; raises Unhandleable."""
    stream = io.BytesIO(body)
    try:
        record: object = _avro.schemaless_reader(stream, schema, None)
    except UNREADABLE as error:
        raise Unhandleable("AVRO_UNREADABLE", type(error).__name__) from None
    if stream.tell() != len(body):
        raise Unhandleable("AVRO_UNREADABLE", "bytes left over")
    if not isinstance(record, dict):
        raise Unhandleable("AVRO_UNREADABLE", "not a record")
    return cast("dict[str, Any]", record)


def local_editions(folder: Path) -> dict[str, list[str]]:
    """The editions of every family, oldest first: `<folder>/<family>/<n>.avsc`."""
    families: dict[str, list[str]] = {}
    for family in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(family.glob("[0-9]*.avsc"), key=lambda path: int(path.stem))
        if files:
            families[family.name] = [path.read_text(encoding="utf-8") for path in files]
    return families


def _parse(text: str) -> Any:
    return fastavro.parse_schema(json.loads(text))


def _parse_foreign(text: str) -> Any | None:
    """None for what the registry holds but is no Avro schema, or is nested too deep to be read."""
    try:
        return _parse(text)
    except (ValueError, KeyError, TypeError, RecursionError, SchemaParseException):
        return None
