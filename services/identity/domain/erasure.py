"""The erasure of a person: once, for ever, with a certificate. What is destroyed is the key (architecture §7).

Decided on the tombstones alone and never on whether there is a key: keys follow from questions, not from messages, so
a replay does not have them (keys/vault.py), and it must decide as it was decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.identity.domain.refusals import NOT_A_PERSON, Refusal


class EraseAsked(NamedTuple):
    """An `erase_person` command; with faults it cannot be carried out whatever the state is."""

    command_id: str
    issued_by: str
    subject_id: bytes
    reason: str
    at_ms: int
    faults: tuple[Refusal, ...] = ()


class PersonErased(NamedTuple):
    """The key of this subject is destroyed and will not be made again."""

    subject_id: bytes
    command_id: str
    issued_by: str
    reason: str
    at_ms: int


class ErasureKnown(NamedTuple):
    """Asked again; the first erasure stands, with its certificate."""

    erased: PersonErased


class ErasureRefused(NamedTuple):
    """Nothing was destroyed."""

    faults: tuple[Refusal, ...]


ErasureEvent = PersonErased | ErasureKnown | ErasureRefused


class Standing(NamedTuple):
    """What is known of a subject id: its tombstone, and whether it is an organisation's."""

    erased: PersonErased | None = None
    organisation: bool = False


NOBODY = Standing()


def decide(state: Standing, given: EraseAsked) -> Sequence[ErasureEvent]:
    """One event for every command."""
    if given.faults:
        return (ErasureRefused(given.faults),)
    if state.organisation:
        return (ErasureRefused((NOT_A_PERSON,)),)
    if state.erased is not None:
        return (ErasureKnown(state.erased),)
    return (PersonErased(given.subject_id, given.command_id, given.issued_by, given.reason, given.at_ms),)


def evolve(state: Standing, event: ErasureEvent) -> Standing:
    """A tombstone is never taken away."""
    return state._replace(erased=event) if isinstance(event, PersonErased) else state
