"""The local editions without a registry: each family has its number, in order of the names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.chassis.schemas import AVRO, Schemas


class LocalSchemas(Schemas):
    """Encodes and decodes; nothing can be registered or asked for."""

    def __init__(self, folder: Path = AVRO) -> None:
        super().__init__("http://127.0.0.1:9", folder)
        for number, (name, schema) in enumerate(sorted(self._writers.items()), 1):
            self._ids[name] = number
            self._parsed[number] = schema

    def know(self, schema_id: int, schema: Any) -> None:
        """As if it had been asked for."""
        self._parsed[schema_id] = schema
