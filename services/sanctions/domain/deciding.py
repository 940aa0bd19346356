"""What follows for a joint action from a record, a change of its link, or feedback."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import reduce

from services.sanctions.domain import feedback_rules
from services.sanctions.domain.events import (
    Change,
    Delisted,
    Event,
    FeedbackAnswered,
    Held,
    LinkChanged,
    Listed,
    ListingRefused,
    Subject,
    Task,
    TaskChanged,
)
from services.sanctions.domain.inputs import Feedback, Input, LinkMoved, RecordSeen, Relinked
from services.sanctions.domain.joint_action import FirstAnswer, JointAction, evolve
from services.sanctions.domain.memorandum import Memorandum


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
    # A newer one that came while it was nobody's is told again too, and must not be taken for known then.
    version = seen.version if state.nobodys else max(seen.version, state.version)
    yield LinkChanged(given.link_no, seen.subject.subject_id, False, version)


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
