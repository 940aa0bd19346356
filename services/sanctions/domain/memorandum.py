"""A memorandum as data: which listings it answers, with which measures, by which departments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERIFICATIONS = frozenset({"official", "text_copy", "seed", "unverified"})


class MemorandumFault(Exception):
    """One line per thing that is wrong with a memorandum's data."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure, the departments that carry it out and what they may do it by."""

    code: str
    text: str
    article: str
    legal_basis: str
    verification: str
    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Memorandum:
    """What the departments agreed; `feedback_days` are calendar days from the opening of a task."""

    code: str
    name: str
    document: str
    item: str
    subject_kinds: tuple[str, ...]
    feedback_days: int | None
    measures: tuple[Measure, ...]


def memorandum_from(table: Mapping[str, Any]) -> Memorandum:
    """Check and build a memorandum from its parsed data; raises `MemorandumFault` naming every fault."""
    faults = _faults(table)
    if faults:
        raise MemorandumFault("\n".join(faults))
    measures = tuple(_measure(entry) for entry in table["measures"])
    kinds = tuple(str(kind) for kind in table["subject_kinds"])
    days = table.get("feedback_days")
    return Memorandum(table["code"], table["name_zh"], table["document"], table["item"], kinds, days, measures)


def _measure(entry: Mapping[str, Any]) -> Measure:
    departments = tuple(str(code) for code in entry["departments"])
    return Measure(
        entry["code"], entry["text"], entry["article"], entry["legal_basis"], entry["verification"], departments
    )


def _faults(table: Mapping[str, Any]) -> list[str]:
    faults = [f"{key} is missing" for key in ("code", "name_zh", "document", "item") if not table.get(key)]
    if not table.get("subject_kinds") or "person" in table.get("subject_kinds", ()):
        faults.append("subject_kinds must name kinds of organisations; natural persons get no tasks")
    days = table.get("feedback_days")
    if days is not None and (not isinstance(days, int) or days < 1):
        faults.append("feedback_days must be a positive number of calendar days, or absent")
    measures: list[Mapping[str, Any]] = list(table.get("measures", ()))
    if not measures:
        faults.append("measures is missing")
    codes = [entry.get("code") for entry in measures]
    faults += [f"measure {code} occurs twice" for code in {c for c in codes if codes.count(c) > 1}]
    return faults + [fault for entry in measures for fault in _measure_faults(entry)]


def _measure_faults(entry: Mapping[str, Any]) -> list[str]:
    name = entry.get("code", "?")
    wanted = ("code", "text", "article", "legal_basis", "verification", "departments")
    faults = [f"measure {name}: {key} is missing" for key in wanted if not entry.get(key)]
    if entry.get("verification") not in VERIFICATIONS:
        faults.append(f"measure {name}: verification must be one of {', '.join(sorted(VERIFICATIONS))}")
    if len(set(entry.get("departments", ()))) < len(entry.get("departments", ())):
        faults.append(f"measure {name}: a department occurs twice")
    return faults
