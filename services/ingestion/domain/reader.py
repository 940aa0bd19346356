"""Takes values out of the tables of a definition and notes everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from services.ingestion.domain.faults import Fault, fault

MISSING = object()
EPOCH = date(1970, 1, 1).toordinal()


class Reader:
    """One table; `where` is its place in the definition, for the faults."""

    def __init__(self, table: Mapping[str, Any], where: str, faults: list[Fault]) -> None:
        self._table = table
        self._where = where
        self._faults = faults

    def wrong(self, name: str, rule: str) -> None:
        """Note a fault about one entry."""
        self._faults.append(fault("DEFINITION_FAULT", f"{self._where}{name}", rule=f"{name}: {rule}"))

    def has(self, name: str) -> bool:
        """Whether the table says anything of it."""
        return name in self._table

    def text(self, name: str, default: Any = MISSING) -> str:
        """A non-empty string, or the default."""
        value = self._table.get(name, default)
        if isinstance(value, str) and (value or default is not MISSING):
            return value
        self.wrong(name, "a text is needed")
        return ""

    def one_of(self, name: str, allowed: Sequence[str], default: Any = MISSING) -> str:
        """A string from a closed set."""
        value = self._table.get(name, default)
        if value in allowed:
            return str(value)
        self.wrong(name, "one of " + ", ".join(allowed))
        return allowed[0]

    def number(self, name: str, low: int, high: int, default: Any = MISSING) -> int:
        """An integer within bounds."""
        value = self._table.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.wrong(name, f"a whole number from {low} to {high}")
        return low

    def day(self, name: str) -> int | None:
        """A date written YYYY-MM-DD, as days since 1970; None where there is none."""
        value = self._table.get(name, "")
        if value == "":
            return None
        try:
            return date.fromisoformat(value).toordinal() - EPOCH
        except (TypeError, ValueError):
            self.wrong(name, "a date as text, YYYY-MM-DD")
            return None

    def texts(self, name: str, allowed: Sequence[str] = (), default: Any = MISSING) -> tuple[str, ...]:
        """A list of strings, of a closed set if one is given."""
        value: Any = self._table.get(name, default)
        if isinstance(value, (list, tuple)) and (value or default is not MISSING):
            entries: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            if all(isinstance(entry, str) and (not allowed or entry in allowed) for entry in entries):
                return tuple(entries)
        self.wrong(name, "a list of " + (", ".join(allowed) or "texts"))
        return ()

    def absent(self, name: str) -> bool:
        """Whether a table may be skipped: it is not there, or an empty text stands in its place."""
        return self._table.get(name, "") == ""

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        """A list of tables; anything else is a fault and an empty list."""
        value: Any = self._table.get(name)
        if isinstance(value, list):
            entries: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            if all(isinstance(entry, Mapping) for entry in entries):
                return entries
        self.wrong(name, "a list of tables")
        return []

    def table(self, name: str) -> Mapping[str, Any]:
        """A table."""
        value: Any = self._table.get(name)
        if isinstance(value, Mapping):
            return value  # pyright: ignore[reportUnknownVariableType]
        self.wrong(name, "a table")
        return {}
