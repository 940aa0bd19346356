"""What all seeds of one run share because it never changes: catalogue, schemas, a pepper."""

from __future__ import annotations

import atexit
import copy
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import fastavro

from deploy.local import passwords
from services.chassis.schemas import Schemas
from services.ingestion.config import load_catalogue
from services.ingestion.domain.item_schema import schema_text, subject
from services.ingestion.domain.wishes import canonical

ITEMS = ("enterprise-registration", "code-mapping", "org-penalty", "court-defaulter")


class Published(NamedTuple):
    """A catalogue item in force."""

    code: str
    version: int
    definition: str
    schema_id: int
    schema: Any

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """A submission in the wire format."""
        out = io.BytesIO()
        cast(Any, fastavro).schemaless_writer(out, self.schema, record)
        return b"\0" + self.schema_id.to_bytes(4, "big") + out.getvalue()


class MemoryRegistry:
    """Ids by content; `troubles` may say that it is away."""

    def __init__(self, texts: dict[str, int], troubles: Any = None) -> None:
        self.texts, self._troubles = texts, troubles

    async def register(self, subject: str, schema: str) -> int:
        """Register an edition."""
        if self._troubles is not None:
            self._troubles.registry()
        return self.texts.setdefault(schema, len(self.texts) + 1)

    async def schema(self, schema_id: int) -> str | None:
        """The text of a schema."""
        if self._troubles is not None:
            self._troubles.registry()
        return next((text for text, number in self.texts.items() if number == schema_id), None)

    async def set_compatibility(self, level: str = "") -> None:
        """Not judged here."""


class Shared(NamedTuple):
    """Made once per operating system process."""

    schemas: Schemas
    texts: dict[str, int]
    catalogue: dict[str, Published]
    secrets: Path

    def fork(self, troubles: Any) -> Schemas:
        """The schemas of a process that has just started: its own families, nobody else's."""
        new: Any = copy.copy(self.schemas)
        new._registry = MemoryRegistry(dict(self.texts), troubles)
        new._ids, new._parsed, new._missing = dict(new._ids), dict(new._parsed), {}
        return new


@cache
def shared() -> Shared:
    """The one there is."""
    schemas: Any = Schemas("http://registry")
    texts: dict[str, int] = {}
    schemas._registry = MemoryRegistry(texts)
    _finish(schemas.register_all())
    catalogue: dict[str, Published] = {}
    for shipped in (one for one in load_catalogue() if one.item.code in ITEMS):
        text = schema_text(shipped.item)
        number = _finish(schemas._registry.register(subject(shipped.item.code), text))
        parsed = fastavro.parse_schema(json.loads(text))
        item = shipped.item
        catalogue[item.code] = Published(item.code, item.version, canonical(shipped.definition), number, parsed)
    return Shared(schemas, texts, catalogue, _secrets())


def _secrets() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="credit-sim-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for number, name in enumerate(passwords.KEYS, 0x5E):
        key = folder / name
        key.touch(mode=0o600)
        key.write_text(f"{number:02x}" * 32, encoding="utf-8")
    return folder


def _finish(coroutine: Any) -> Any:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")
