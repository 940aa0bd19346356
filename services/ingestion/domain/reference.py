"""Reference data as rows: what submissions are judged by."""

from __future__ import annotations

from typing import NamedTuple


class AgencyRow(NamedTuple):
    """An agency and the items the operator gave it."""

    code: str
    items: tuple[str, ...]


class EditionRow(NamedTuple):
    """A published edition of a catalogue item."""

    code: str
    version: int
    definition: str
    schema_id: int


class Reference(NamedTuple):
    """All of it, as of one revision."""

    revision: int
    agencies: tuple[AgencyRow, ...]
    editions: tuple[EditionRow, ...]
    retired: frozenset[str] = frozenset()  # codes of items that take no new reports
