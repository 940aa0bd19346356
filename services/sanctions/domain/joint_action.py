"""The aggregate: one listing record, its tasks and the feedback on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import reduce
from types import MappingProxyType
from typing import Literal

from services.sanctions.domain import feedback_rules
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
    Task,
    TaskChanged,
)
from services.sanctions.domain.memorandum import Memorandum

Standing = Literal["UNKNOWN", "LISTED", "LIFTED", "REFUSED"]


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """A record of an item that a memorandum names; `opened_on` is the day on which tasks open."""

    record_id: bytes
    version: int
    action: str
    subject_kind: str
    subject: Subject
    memorandum: Memorandum
    opened_on: date
    at_ms: int


@dataclass(frozen=True, slots=True)
class Relinked:
    """A version told again with the number of the link by which it is its subject's."""

    seen: RecordSeen
    link_no: int

    @property
    def record_id(self) -> bytes:
        """Which record."""
        return self.seen.record_id


@dataclass(frozen=True, slots=True)
class LinkMoved:
    """A record is another subject's; not `linked`: nobody's who is known. Its listing may be under any memorandum."""

    record_id: bytes
    link_no: int
    subject_id: bytes
    linked: bool
    memoranda: Mapping[str, Memorandum]
    opened_on: date
    at_ms: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a department says it did; `faults` were found while reading it."""

    feedback_id: str
    task_id: str
    topic_agency: str
    agency: str
    outcome: str
    executed_on: date | None
    today: date
    at_ms: int
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Irrelevant:
    """A record that no memorandum names."""


Input = RecordSeen | Relinked | LinkMoved | Feedback | Irrelevant


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


def task_id_of(record_id: bytes, measure: str, department: str) -> str:
    """The same record, measure and department always make the same task."""
    return hashlib.blake2b(f"{record_id.hex()}|{measure}|{department}".encode(), digest_size=16).hexdigest()


def decide(state: JointAction, given: Input) -> list[Event]:
    """What follows from a record or a feedback."""
    if isinstance(given, RecordSeen):
        return list(_on_record(state, given))
    if isinstance(given, Relinked):
        return list(_on_relinked(state, given))
    if isinstance(given, LinkMoved):
        return list(_on_move(state, given))
    if isinstance(given, Feedback):
        return list(_on_feedback(state, given))
    return []


def _on_record(state: JointAction, given: RecordSeen) -> Iterator[Event]:
    if given.version <= state.version or state.nobodys:
        return  # an older version, or this one again from another partition; what is nobody's is told again
    if state.link_no and state.subject is not None:  # whose it is, the number has said
        given = replace(given, subject=replace(given.subject, subject_id=state.subject.subject_id))
    yield from _stands(state, given)


def _on_relinked(state: JointAction, given: Relinked) -> Iterator[Event]:
    if given.link_no <= state.link_no:
        yield from _on_record(state, given.seen)
        return
    seen = given.seen
    if seen.version >= state.version:
        yield from _stands(state, seen)
    yield LinkChanged(given.link_no, seen.subject.subject_id, False, max(seen.version, state.version))


def _on_move(state: JointAction, given: LinkMoved) -> Iterator[Event]:
    if given.link_no <= state.link_no:
        return
    moved = state.subject is not None and state.subject.subject_id != given.subject_id
    lifted = list(_lift(state, given.at_ms)) if moved or not given.linked else []
    yield from lifted
    # What was nobody's was to be forgotten: any version of it that comes now lists it again.
    version = 0 if state.nobodys and given.linked else state.version
    yield LinkChanged(given.link_no, given.subject_id, not given.linked, version)
    memorandum = given.memoranda.get(state.memorandum)
    if moved and given.linked and state.standing == "LISTED" and state.subject and memorandum:
        about = replace(state.subject, subject_id=given.subject_id)
        yield from _open(reduce(evolve, lifted, state), memorandum, about, given.opened_on, given.at_ms)


def _stands(state: JointAction, given: RecordSeen) -> Iterator[Event]:
    refused = given.subject_kind not in given.memorandum.subject_kinds
    moved = state.subject is not None and state.subject.subject_id != given.subject.subject_id
    ended = refused or moved or given.action == "withdraw"
    lifted = list(_lift(state, given.at_ms)) if ended else []
    yield from lifted
    if given.action == "withdraw":
        yield Delisted(given.version)
    elif refused:
        yield ListingRefused(given.version, "SUBJECT_KIND")
    else:
        yield Listed(given.version, given.subject, given.memorandum.code)
        if moved or state.standing != "LISTED":  # a correction of what stands keeps its tasks
            after = reduce(evolve, lifted, state)
            yield from _open(after, given.memorandum, given.subject, given.opened_on, given.at_ms)


def _lift(state: JointAction, at_ms: int) -> Iterator[Event]:
    """Also what was carried out is lifted: the department must end the measure."""
    for held in state.tasks.values():
        if held.status != "LIFTED":
            yield TaskChanged("LIFTED", held.task, held.version + 1, at_ms)


def _open(state: JointAction, memorandum: Memorandum, subject: Subject, opened_on: date, at_ms: int) -> Iterator[Event]:
    days = memorandum.feedback_days
    due_on = None if days is None else opened_on + timedelta(days=days)
    for measure in memorandum.measures:
        for department in measure.departments:
            task = Task(
                task_id_of(state.record_id, measure.code, department),
                state.record_id,
                memorandum.code,
                measure.code,
                measure.text,
                measure.article,
                department,
                subject,
                due_on,
            )
            before = state.tasks.get(task.task_id)
            yield TaskChanged("OPENED", task, before.version + 1 if before else 1, at_ms)


def _on_feedback(state: JointAction, given: Feedback) -> Iterator[Event]:
    held = state.tasks.get(given.task_id)
    own = held.task if held is not None and held.task.department == given.topic_agency else None
    first = state.answers.get((given.task_id, given.feedback_id))
    if first is not None and held is not None and own is not None:
        yield from _again(given, first, held)
        return
    faults = feedback_rules.faults(given, held.task if held else None, held.status if held else None)
    change: Change = "FEEDBACK_REFUSED" if faults else "CLOSED"
    version = None if faults or held is None else held.version + 1
    what = (change, given.topic_agency, given.task_id, given.feedback_id)
    yield FeedbackAnswered(*what, faults, given.at_ms, own, version)


def _again(given: Feedback, first: FirstAnswer, held: Held) -> Iterator[Event]:
    what = (first.change, given.topic_agency, given.task_id, given.feedback_id, first.faults, first.at_ms)
    yield FeedbackAnswered(*what, held.task, first.version, repeated=True)
    if first.change == "CLOSED" != held.status:
        # The task has moved on since: who reads edition 1, which has no version, must not be left with CLOSED.
        yield TaskChanged(held.status, held.task, held.version, given.at_ms)


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
