"""Name and codes of a subject; changes may arrive out of order, the highest version stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.disclosure.domain.events import CardChanged, Code, PersonErased
from services.disclosure.domain.terms import CARD_KINDS, CODE_KINDS


@dataclass(frozen=True, slots=True)
class SubjectSeen:
    """A subject as identity tells it."""

    subject_id: bytes
    version: int
    kind: str
    name: str | None
    codes: tuple[Code, ...]
    at_ms: int
    merged_into: bytes | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class SubjectCard:
    """What is known of a subject; version 0: nothing yet."""

    subject_id: bytes
    version: int = 0
    kind: str = ""
    name: str | None = None
    codes: tuple[Code, ...] = ()
    merged_into: bytes | None = None  # who stands for it


def decide(state: SubjectCard, given: SubjectSeen) -> Sequence[CardChanged | PersonErased]:
    """A person has no card here, and no number of a person becomes a code to look up by. Only a person is erased."""
    if given.erased and given.kind not in CARD_KINDS and not state.version:
        return (PersonErased(given.subject_id, given.at_ms),)
    if given.version <= state.version or given.kind not in CARD_KINDS:
        return ()
    codes = tuple(dict.fromkeys(code for code in given.codes if code.kind in CODE_KINDS))
    return (CardChanged(given.version, given.kind, given.name, codes, given.at_ms, given.merged_into),)


def evolve(state: SubjectCard, event: CardChanged | PersonErased) -> SubjectCard:
    """The state after an event."""
    if isinstance(event, PersonErased):
        return state
    return SubjectCard(state.subject_id, event.version, event.kind, event.name, event.codes, event.merged_into)
