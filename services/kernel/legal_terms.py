"""Terms of the law for a record's way to the public: a table of rules, and which of them holds for what."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from services.kernel import working_days
from services.kernel.working_days import Calendar

Unit = Literal["calendar", "working"]
ACTIONS = ("report", "correct", "withdraw")
PROVINCE = "420000"


@dataclass(frozen=True, slots=True)
class Term:
    """A number of days, what they are counted for and where that is written."""

    id: str
    hop: str
    days: int
    unit: Unit
    in_force: date
    document: str
    article: str
    verification: str
    level: str = ""  # empty: of any
    items: tuple[str, ...] = ()  # empty: all but `except_items`
    except_items: tuple[str, ...] = ()
    actions: tuple[str, ...] = ACTIONS

    def holds(self, hop: str, item: str, level: str, action: str, day: date) -> bool:
        """Whether it is a rule for this, on that day."""
        named = item in self.items if self.items else item not in self.except_items
        fits = self.hop == hop and self.level in ("", level) and action in self.actions
        return fits and named and self.in_force <= day

    def due(self, start: date, calendar: Calendar | None = None) -> date:
        """The last day of the term; the start is not counted. Raises `CalendarEnded`.

        Calendar days are counted as written: whether one that ends on a day off moves is not settled.
        """
        if self.unit == "calendar":
            return start + timedelta(self.days)
        return (calendar or working_days.table()).add(start, self.days)


def level_of(agency: str) -> str:
    """`province` or `lower`, by the region in an agency's code."""
    return "province" if agency.startswith(PROVINCE) else "lower"


@cache
def terms() -> tuple[Term, ...]:
    """The table of this release."""
    with files("services.kernel").joinpath("legal_terms.toml").open("rb") as file:
        return tuple(map(_term, tomllib.load(file)["term"]))


def _term(row: dict[str, Any]) -> Term:
    lists: dict[str, Any] = {name: tuple(row[name]) for name in ("items", "except_items", "actions") if name in row}
    return Term(**{**row, **lists})


def choose(hop: str, item: str, level: str, action: str, day: date, table: Sequence[Term] | None = None) -> Term | None:
    """The rule for this hop, by the day of the decision; None: there was none in force."""
    found = [term for term in (terms() if table is None else table) if term.holds(hop, item, level, action, day)]
    return max(found, key=lambda term: (bool(term.items), term.in_force), default=None)
