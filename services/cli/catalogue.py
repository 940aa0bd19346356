"""The catalogue as the bus tells it: the newest edition of every item."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli.outsider import Reader, Registry

TOPIC = "credit.ingestion.catalogue.v1"


class Item(NamedTuple):
    """A catalogue item (目录事项): its code, edition and definition, and what was told of it beside them."""

    code: str
    version: int
    definition: Mapping[str, Any]
    told: Mapping[str, Any] = {}

    @property
    def subject(self) -> str:
        """Where its schema is at the registry."""
        return f"cn.hubei.credit.item.{self.code}"

    @property
    def dataset(self) -> str:
        """The national data set it is told under; empty: none."""
        national: Any = self.definition.get("national") or {}
        return str(national.get("dataset", ""))

    @property
    def state(self) -> str:
        """`open`, `closed` (nothing is taken yet) or `retired`."""
        return "retired" if self.told.get("retired_at") else str(self.definition.get("intake", "open"))

    @property
    def about_persons(self) -> bool:
        """Whether natural persons are among its subjects."""
        return "person" in self.definition["subject_kinds"]

    def is_of(self, agency: str) -> bool:
        """Whether the item names the agency as responsible, and takes reports."""
        return self.state == "open" and any(fnmatchcase(agency, pattern) for pattern in self.definition["agencies"])


def read(layout: Layout) -> dict[str, Item]:
    """Items by code; raises `StackFault` when none is in force."""
    found: dict[str, Item] = {}
    registry = Registry(layout)
    with Reader(layout) as reader:
        for message in reader.read([TOPIC]):
            record = registry.decode(message.value() or b"")
            item = Item(record["code"], record["version"], json.loads(record["definition"]), record)
            if item.code not in found or found[item.code].version <= item.version:
                found[item.code] = item
    if not found:
        raise StackFault("no catalogue item is in force: credit up puts the shipped catalogue in force")
    return found


def one(layout: Layout, code: str) -> Item:
    """An item by its code; raises `StackFault` naming those there are."""
    items = read(layout)
    if code not in items:
        raise StackFault(f"there is no catalogue item {code!r}: choose from {', '.join(sorted(items))}")
    return items[code]
