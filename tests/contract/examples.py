"""The golden examples under avro/, as records and as the framed values that a producer of their edition writes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, NamedTuple, cast

import fastavro

from services.chassis.wire import frame

AVRO = Path(__file__).parents[2] / "avro"
Record = dict[str, Any]
_avro = cast(Any, fastavro)  # its types are partly unknown to the checker


class Golden(NamedTuple):
    """One example file: family, edition, name."""

    family: str
    edition: str
    name: str

    @property
    def schema(self) -> str:
        """The text of the edition it is an example of."""
        return (AVRO / self.family / f"{self.edition}.avsc").read_text(encoding="utf-8")

    @property
    def record(self) -> Record:
        """What the file says."""
        (found,) = records(self.schema, AVRO / self.family / "examples" / self.edition / f"{self.name}.json")
        return found

    def value(self, schema_id: int) -> bytes:
        """What a producer of that edition publishes."""
        out = io.BytesIO()
        _avro.schemaless_writer(out, _avro.parse_schema(json.loads(self.schema)), self.record)
        return frame(schema_id, out.getvalue())


def records(schema: str, path: Path) -> list[Record]:
    """The records of a file: one JSON value a line."""
    with path.open(encoding="utf-8") as file:
        return list(_avro.json_reader(file, _avro.parse_schema(json.loads(schema))))


def of(family: str) -> list[Golden]:
    """All examples of a family, of every edition."""
    files = sorted((AVRO / family / "examples").glob("*/*.json"))
    return [Golden(family, path.parent.name, path.stem) for path in files]
