"""The register of operators: who may give which commands, and on whose behalf. Data in a file, never in code.

    checked_since = 2026-11-30T08:00:00Z   # what was published before is not checked: nobody signed then
    on_behalf = ["unit", "by"]             # arguments of a command that name on whose behalf it is given

    [[operator]]
    principal = "operator"                 # `issued_by` of the command
    public_key = "64 hexadecimal digits"   # Ed25519
    since = 2026-11-30T08:00:00Z           # and `until`, when it has ended; UTC
    commands = ["*"]                       # patterns of <service>:<type>
    speaks_for = ["*"]                     # patterns of what those arguments may say

An entry is ended, never deleted or changed otherwise: a replay judges every command by what held when it was published.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

PUBLIC_KEY, PRINCIPAL = re.compile(r"[0-9a-f]{64}"), re.compile(r"[a-z0-9][a-z0-9-]*")
FOR_EVER = 1 << 62


class Operator(NamedTuple):
    """An entry; milliseconds since 1970, `until` is the first that is not in it."""

    principal: str
    public_key: bytes
    since: int
    until: int
    commands: tuple[str, ...]
    speaks_for: tuple[str, ...]

    def may(self, service: str, kind: str) -> bool:
        """Whether it may give this command to this service."""
        return any(fnmatchcase(f"{service}:{kind}", pattern) for pattern in self.commands)

    def may_speak_for(self, name: str) -> bool:
        """Whether it may name this unit or person."""
        return any(fnmatchcase(name, pattern) for pattern in self.speaks_for)


class Operators(NamedTuple):
    """The whole register."""

    checked_since: int
    on_behalf: tuple[str, ...]
    entries: tuple[Operator, ...]

    def at(self, principal: str, at_ms: int) -> list[Operator]:
        """The entries of a principal that held at this moment; more than one while a key is replaced."""
        return [e for e in self.entries if e.principal == principal and e.since <= at_ms < e.until]


def parse(text: str) -> Operators:
    """Read the file's text; raises ValueError that says what is wrong where."""
    table = tomllib.loads(text)
    since, behalf = _moment(table, "checked_since"), _texts(table, "on_behalf")
    entries: list[dict[str, Any]] = table.get("operator", [])
    return Operators(since, behalf, tuple(_operator(entry, since) for entry in entries))


def _operator(entry: Mapping[str, Any], since: int) -> Operator:
    principal, key = str(entry.get("principal")), str(entry.get("public_key"))
    if not PRINCIPAL.fullmatch(principal):
        raise ValueError(f"principal = {principal!r} must be lower-case letters, digits and hyphens")
    if not PUBLIC_KEY.fullmatch(key):
        raise ValueError(f"public_key of {principal} must be 64 hexadecimal digits")
    begin = _moment(entry, "since") if "since" in entry else since
    end = _moment(entry, "until") if "until" in entry else FOR_EVER
    rights = _texts(entry, "commands"), _texts(entry, "speaks_for")
    return Operator(principal, bytes.fromhex(key), begin, end, *rights)


def _moment(table: Mapping[str, Any], name: str) -> int:
    value = table.get(name)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{name} must be a moment with its offset, e.g. 2026-11-30T08:00:00Z")
    return round(value.timestamp() * 1000)


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value: Any = table.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError(f"{name} must be a list of texts")
    return tuple(value)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]
