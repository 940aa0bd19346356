"""Who reports: the register of 2017 that is shipped, beside who is registered on this bus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from deploy.local.layout import Layout
from services.cli import programs

TOPIC = "credit.ingestion.agency.v1"
TIERS = ("province", "prefecture", "county")
SAID = ("kind", "tier", "parent", "expected_since")


class Known(NamedTuple):
    """An agency as the shipped register has it, as the bus has it, or both."""

    code: str
    shipped: Mapping[str, str]
    registered: Mapping[str, Any]

    def said(self, name: str) -> str:
        """What is registered, else what is shipped; empty: unknown."""
        return str(self.registered.get(name) or self.shipped.get(name) or "")

    @property
    def row(self) -> dict[str, Any]:
        """For a list: facts, and whether it may submit."""
        facts = {name: self.said(name) for name in ("name_zh", *SAID)}
        more = {"group": self.shipped.get("group", ""), "later": self.shipped.get("later", "")}
        return {"code": self.code, **facts, **more, "registered": bool(self.registered), "items": self.items}

    @property
    def items(self) -> Sequence[str]:
        """What it may submit."""
        return list(self.registered.get("items", ()))


def shipped(layout: Layout) -> dict[str, dict[str, str]]:
    """The register of 2017, by code; it needs no running stack."""
    return {row["code"]: row for row in programs.lines(layout, "ingestion", ["agencies"])}


def registered(layout: Layout) -> dict[str, dict[str, Any]]:
    """Who may submit, by code, as the bus tells everybody who may read it."""
    from services.cli.outsider import Reader, Registry

    registry, found = Registry(layout), dict[str, dict[str, Any]]()
    with Reader(layout) as reader:
        for message in reader.read([TOPIC]):
            record = registry.decode(message.value() or b"")
            found[record["code"]] = record
    return found


def roles(layout: Layout, code: str) -> dict[str, str]:
    """The offices that answer for an agency: ingestion tells its operator, and no topic tells anybody."""
    rows = [row for row in programs.lines(layout, "ingestion", ["registered"]) if row.get("code") == code]
    return rows[0]["roles"] if rows else {}


def everybody(layout: Layout, running: bool = True) -> list[Known]:
    """Shipped and registered ones, by tier and code; `running`: the bus can be asked."""
    ours, theirs = shipped(layout), registered(layout) if running else {}
    known = [Known(code, ours.get(code, {}), theirs.get(code, {})) for code in sorted(ours.keys() | theirs.keys())]
    return sorted(known, key=lambda agency: (_rank(agency.said("tier")), agency.code))


def _rank(tier: str) -> int:
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


def notes(code: str, facts: Mapping[str, str], parent: str, theirs: Mapping[str, Any]) -> list[str]:
    """What an operator should know before he relies on a registration; nothing of it refuses one."""
    found: list[str] = []
    if parent and parent not in theirs:
        found.append(f"its parent {parent} is not registered: credit agency add {parent}")
    if facts.get("to_year"):
        became = f", then {facts['later']}" if facts.get("later") else ""
        found.append(f"{facts['name_zh']} bore this name until {facts['to_year']}{became} (unverified)")
    if not facts:
        found.append(f"{code} is not in the register of 2017: credit agency list --shipped")
    return found
