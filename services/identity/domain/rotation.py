"""Which key-encryption key (KEK) persons' keys are wrapped under: replaced by command, never taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.identity.domain.refusals import KEK_USED_BEFORE, Refusal


class RotationAsked(NamedTuple):
    """A `rotate_keys` command; `kek_id` names the new key, which lies in the key file already."""

    command_id: str
    kek_id: str
    at_ms: int
    faults: tuple[Refusal, ...] = ()


class KekReplaced(NamedTuple):
    """From now on keys are wrapped under this one; what is wrapped under others is wrapped anew."""

    kek_id: str
    command_id: str
    at_ms: int


class RotationKnown(NamedTuple):
    """This key stands already."""

    kek_id: str


class RotationRefused(NamedTuple):
    """The key that stood still stands."""

    faults: tuple[Refusal, ...]


RotationEvent = KekReplaced | RotationKnown | RotationRefused
Keks = tuple[str, ...]  # the ids that commands have put in force, the last one stands


def decide(state: Keks, given: RotationAsked) -> Sequence[RotationEvent]:
    """One event for every command."""
    if given.faults:
        return (RotationRefused(given.faults),)
    if state and state[-1] == given.kek_id:
        return (RotationKnown(given.kek_id),)
    if given.kek_id in state:
        return (RotationRefused((KEK_USED_BEFORE,)),)
    return (KekReplaced(given.kek_id, given.command_id, given.at_ms),)


def evolve(state: Keks, event: RotationEvent) -> Keks:
    """The last one stands."""
    return (*state, event.kek_id) if isinstance(event, KekReplaced) else state
