"""A catalogue item (目录事项) as disclosure sees it: which fields may be shown, edition by edition."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from services.disclosure.domain.events import EditionKnown, FieldRule

SUBJECT_NAMES = frozenset({"subject_name", "subject_code"})


class DefinitionFault(ValueError):
    """A published definition that says too little to show anything by."""


class Edition(NamedTuple):
    """One edition: fields it does not list are never shown."""

    version: int
    rules: tuple[FieldRule, ...]

    def show(self, payload: Mapping[str, Any], person: bool) -> dict[str, str]:
        """Field code -> text. Nulls are left out; of a person also what says who it is."""
        kept = (r.code for r in self.rules if not (person and r.names_subject))
        return {code: text_of(payload[code]) for code in kept if payload.get(code) is not None}


def text_of(value: object) -> str:
    """A value as subscribers read it: dates as YYYY-MM-DD, amounts in 分 as whole numbers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


@dataclass(frozen=True, slots=True)
class EditionSeen:
    """A published edition of an item."""

    code: str
    edition: Edition
    at_ms: int


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """The editions known, by version."""

    editions: Mapping[int, Edition] = field(default_factory=dict[int, Edition])


def edition_of(code: str, version: int, definition: str, at_ms: int) -> EditionSeen:
    """Read a definition; a field is shown only when its sensitivity is said to be none. Raises `DefinitionFault`."""
    try:
        fields = json.loads(definition)["fields"]
        rules = tuple(FieldRule(str(f["code"]), f.get("same_as") in SUBJECT_NAMES) for f in fields if _plain(f))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DefinitionFault(type(error).__name__) from None
    return EditionSeen(code, Edition(version, rules), at_ms)


def _plain(entry: Mapping[str, Any]) -> bool:
    return entry.get("sensitivity", "none") == "none"


def usable(editions: Iterable[Edition], version: int) -> Edition | None:
    """The edition itself; failing that the next one, which may hide more but shows nothing that is unknown to it.

    The topic is compacted, so an old edition may be gone; a newer one than any known is still on its way: None.
    """
    return min((e for e in editions if e.version >= version), key=lambda e: e.version, default=None)


def decide(state: CatalogueItem, given: EditionSeen) -> Sequence[EditionKnown]:
    """The same edition again states nothing new."""
    edition = given.edition
    if state.editions.get(edition.version) == edition:
        return ()
    return (EditionKnown(edition.version, edition.rules, given.at_ms),)


def evolve(state: CatalogueItem, event: EditionKnown) -> CatalogueItem:
    """The state after an event."""
    return CatalogueItem({**state.editions, event.version: Edition(event.version, event.rules)})
