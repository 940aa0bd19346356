"""When a conditional field is required: `name`, `name=value|value` or `name~part|part`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FORM = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:([=~])(.+))?")


@dataclass(frozen=True, slots=True)
class Condition:
    """`name` is filled, is one of the values (=), or holds one of them (~)."""

    name: str
    operator: str
    values: tuple[str, ...]
    text: str

    @staticmethod
    def parse(text: str) -> Condition | None:
        """None for what is no condition."""
        found = FORM.fullmatch(text)
        if found is None:
            return None
        name, operator, values = found.groups()
        return Condition(name, operator or "", tuple((values or "").split("|")) if values else (), text)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is met by these envelope and payload values."""
        value = values.get(self.name)
        if value is None or value == "":
            return False
        if self.operator == "=":
            return value in self.values
        return not self.operator or any(part in str(value) for part in self.values)
