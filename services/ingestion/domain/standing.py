"""How a catalogue item stands: from when, who is responsible at each level, how long it is kept, shown and shared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.ingestion.domain import terms
from services.ingestion.domain.faults import Fault
from services.ingestion.domain.reader import MISSING, Reader

DURATION = re.compile(r"P[1-9]\d{0,2}[YMD]", re.ASCII)
UNIT = re.compile(r"[0-9?]{6}-[a-z*][a-z0-9*-]{0,30}", re.ASCII)
EXACT_UNIT = re.compile(r"\d{6}-[a-z][a-z0-9-]{0,30}", re.ASCII)
COLUMNS = ("subject_name", "subject_code", "decided_on")
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class DisplayRule:
    """How long a record is shown: a duration counted from the day in the field `clock`, or a state of its subject."""

    period: str = ""
    clock: str = "decided_on"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is said of the item as a whole; a definition from before the full form says nothing of it.

    Days are days since 1970. `responsible`: patterns of agency codes at province, city and county, `?` for a digit of
    the region and `*` for any short name; `seals`: the units whose confirmation (盖章) publication needs; `columns`: of
    a file, those that hold the subject's name, its code and the day of the decision.
    """

    in_force_from: int | None = None
    until: int | None = None
    category: str = ""
    intake: str = "open"
    responsible: tuple[tuple[str, ...], ...] = ((), (), ())
    seals: tuple[str, ...] = ()
    sharing: str = "conditional"
    sharing_scope: str = ""
    frequency: str = "on_event"
    retention: str = ""
    display: DisplayRule = DisplayRule()
    national_dataset: str = ""
    national_fields: tuple[str, ...] = ()
    columns: tuple[str, str, str] = ("", "", "")

    def in_force(self, day: int) -> bool:
        """Whether reports are taken on this day as far as the definition goes."""
        begun = self.in_force_from is None or self.in_force_from <= day
        return begun and (self.until is None or day <= self.until)


UNSAID = Standing()  # what a definition from before the full form says


def read_standing(top: Reader, full: bool, faults: list[Fault]) -> Standing:
    """Everything is needed in the full form, and nothing in a definition from before it."""
    national = _optional(top, "national")
    nation = Reader(national, "national.", faults)

    def needed(default: str) -> Any:
        return MISSING if full else default

    return Standing(
        in_force_from=top.day("in_force_from"),
        until=top.day("until"),
        category=top.one_of("category", terms.CATEGORIES) if full else top.text("category", ""),
        intake=top.one_of("intake", terms.INTAKES, "open"),
        responsible=_responsible(top, full, faults),
        seals=top.texts("seals", (), ()),
        sharing=top.one_of("sharing", terms.SHARINGS, needed("conditional")),
        sharing_scope=top.text("sharing_scope", needed("")),
        frequency=top.one_of("frequency", terms.FREQUENCIES, needed("on_event")),
        retention=_period(top, "retention", full),
        display=_display(top, full, faults),
        national_dataset=nation.text("dataset") if national else "",
        national_fields=tuple(nation.table("fields")) if national else (),
        columns=_columns(top, full, faults),
    )


def _optional(top: Reader, name: str) -> Mapping[str, Any]:
    """A table that may be absent, or an empty text in its place."""
    return NOTHING if top.absent(name) else top.table(name)


def _responsible(top: Reader, full: bool, faults: list[Fault]) -> tuple[tuple[str, ...], ...]:
    if not full:
        return ((), (), ())
    table = Reader(top.table("responsible"), "responsible.", faults)
    found = tuple(table.texts(level, (), ()) for level in terms.LEVELS)
    if not any(found):
        table.wrong("province", "at least one level has a responsible agency")
    for level, patterns in zip(terms.LEVELS, found, strict=True):
        if not all(UNIT.fullmatch(pattern) for pattern in patterns):
            table.wrong(level, "agency codes such as 420000-hbt or 42????-hbj")
    return found


def _display(top: Reader, full: bool, faults: list[Fault]) -> DisplayRule:
    table = _optional(top, "display")
    if not table:
        if full:
            top.wrong("display", "a table")
        return DisplayRule()
    entry = Reader(table, "display.", faults)
    return DisplayRule(_period(entry, "period", True, ("not_shown",)), entry.text("clock", "decided_on"))


def _period(entry: Reader, name: str, full: bool, more: tuple[str, ...] = ()) -> str:
    text = entry.text(name, MISSING if full else "")
    allowed = (*terms.PERIODS, *more)
    if full and text and text not in allowed and not DURATION.fullmatch(text):
        entry.wrong(name, "a duration such as P3Y, or " + ", ".join(allowed))
    return text


def _columns(top: Reader, full: bool, faults: list[Fault]) -> tuple[str, str, str]:
    entry = Reader(_optional(top, "envelope_columns"), "envelope_columns.", faults)
    name, code, day = (entry.text(column, MISSING if full else "") for column in COLUMNS)
    return name, code, day
