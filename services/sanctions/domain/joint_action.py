"""The aggregate: one listing record, its tasks and the feedback on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from services.sanctions.domain.events import (
    Change,
    Delisted,
    Event,
    Fault,
    FeedbackAnswered,
    Held,
    LinkChanged,
    Listed,
    ListingRefused,
    Subject,
    TaskChanged,
)

Standing = Literal["UNKNOWN", "LISTED", "LIFTED", "REFUSED"]


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """How a feedback was answered when it first came."""

    change: Change
    faults: tuple[Fault, ...]
    at_ms: int
    version: int | None


@dataclass(frozen=True, slots=True)
class JointAction:
    """The state: which version of the record stands, and what came of it. Version 0: never seen."""

    record_id: bytes
    version: int = 0
    standing: Standing = "UNKNOWN"
    subject: Subject | None = None
    memorandum: str = ""
    tasks: Mapping[str, Held] = field(default_factory=lambda: MappingProxyType({}))
    answers: Mapping[tuple[str, str], FirstAnswer] = field(default_factory=lambda: MappingProxyType({}))
    link_no: int = 0
    nobodys: bool = False


def evolve(state: JointAction, event: Event) -> JointAction:
    """Apply one event."""
    if isinstance(event, Listed):
        return replace(
            state, version=event.version, standing="LISTED", subject=event.subject, memorandum=event.memorandum
        )
    if isinstance(event, Delisted):
        return replace(state, version=event.version, standing="LIFTED")
    if isinstance(event, ListingRefused):
        return replace(state, version=event.version, standing="REFUSED")
    if isinstance(event, LinkChanged):
        return _evolve_link(state, event)
    if isinstance(event, TaskChanged):
        return _put(state, Held(event.task, event.change, event.version))
    return _evolve_answer(state, event)


def _evolve_link(state: JointAction, event: LinkChanged) -> JointAction:
    known = state.subject or Subject(event.subject_id, None, None)
    subject = replace(known, subject_id=event.subject_id)
    standing = "LIFTED" if event.nobodys and state.standing == "LISTED" else state.standing
    return replace(
        state,
        version=event.version,
        standing=standing,
        subject=subject,
        link_no=event.link_no,
        nobodys=event.nobodys,
    )


def _evolve_answer(state: JointAction, event: FeedbackAnswered) -> JointAction:
    if event.repeated or event.task is None:
        return state  # who has no such task is refused again in the same words; nothing to remember
    first = FirstAnswer(event.change, event.faults, event.at_ms, event.version)
    answered = replace(state, answers=MappingProxyType({**state.answers, (event.task_id, event.feedback_id): first}))
    if event.version is None:
        return answered
    return _put(answered, Held(event.task, event.change, event.version))


def _put(state: JointAction, held: Held) -> JointAction:
    return replace(state, tasks=MappingProxyType({**state.tasks, held.task.task_id: held}))
