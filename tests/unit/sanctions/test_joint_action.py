"""What records and feedback do to tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import reduce

import pytest

from services.sanctions.config import load_memoranda
from services.sanctions.domain.deciding import decide, task_id_of
from services.sanctions.domain.events import Event, FeedbackAnswered, Listed, ListingRefused, Subject, TaskChanged
from services.sanctions.domain.inputs import Feedback, Input, LinkMoved, RecordSeen, Relinked
from services.sanctions.domain.joint_action import JointAction, evolve

MEMORANDUM = load_memoranda()["court-defaulter"]
RECORD = b"R" * 16
TODAY = date(2017, 11, 24)
SUBJECT = Subject(b"S" * 16, "91420100MA4KLM0N5H", "演示武汉甲贸易有限公司")
SEEN = RecordSeen(RECORD, 1, "report", "org", SUBJECT, MEMORANDUM, TODAY, 1000)
TASK = task_id_of(RECORD, "honour-restriction", "420000-hbt")
FEEDBACK = Feedback("fb-1", TASK, "420000-hbt", "420000-hbt", "executed", TODAY, TODAY, 2000)
TASKS = sum(len(measure.departments) for measure in MEMORANDUM.measures)


def after(*inputs: Input) -> tuple[JointAction, list[Event]]:
    """The state after these inputs, and the events of the last."""
    state, events = JointAction(RECORD), list[Event]()
    for given in inputs:
        events = decide(state, given)
        state = reduce(evolve, events, state)
    return state, events


def statuses(state: JointAction) -> set[str]:
    return {held.status for held in state.tasks.values()}


def test_a_listing_opens_one_task_per_measure_and_department() -> None:
    state, events = after(SEEN)
    opened = [e.task for e in events if isinstance(e, TaskChanged) and e.change == "OPENED"]
    assert len(opened) == TASKS == len(state.tasks)
    assert {(t.measure, t.department) for t in opened} == {
        (m.code, department) for m in MEMORANDUM.measures for department in m.departments
    }
    assert {t.due_on for t in opened} == {TODAY + timedelta(days=30)}


def test_the_memorandum_has_at_least_six_measures_and_says_that_nothing_is_verified() -> None:
    assert len(MEMORANDUM.measures) >= 6
    assert {m.verification for m in MEMORANDUM.measures} == {"unverified"}
    assert all(m.article and m.legal_basis for m in MEMORANDUM.measures)


@pytest.mark.parametrize("kind", ["person", "sole_trader", ""])
def test_who_is_no_organisation_gets_no_task(kind: str) -> None:
    state, events = after(replace(SEEN, subject_kind=kind))
    assert events == [ListingRefused(1, "SUBJECT_KIND")]
    assert not state.tasks


def test_a_correction_keeps_the_tasks() -> None:
    state, events = after(SEEN, FEEDBACK, replace(SEEN, version=2, action="correct"))
    assert events == [Listed(2, SUBJECT, MEMORANDUM.code)]
    assert state.tasks[TASK].status == "CLOSED"


def test_a_correction_to_another_subject_lifts_and_opens() -> None:
    other = Subject(b"T" * 16, "93420111MA4XYK1279", "演示武汉乙合作社")
    state, events = after(SEEN, replace(SEEN, version=2, action="correct", subject=other))
    told = [(e.change, e.task.subject) for e in events if isinstance(e, TaskChanged)]
    assert told == [("LIFTED", SUBJECT)] * TASKS + [("OPENED", other)] * TASKS
    assert {held.task.subject for held in state.tasks.values()} == {other}


def test_every_change_of_a_task_has_the_next_version() -> None:
    other = Subject(b"T" * 16, "93420111MA4XYK1279", "演示武汉乙合作社")
    moved = replace(SEEN, version=2, action="correct", subject=other)
    wrong = replace(FEEDBACK, feedback_id="fb-2", outcome="done")
    last: list[list[tuple[str, int | None]]] = []
    for number in range(1, 6):
        _, events = after(*[SEEN, wrong, FEEDBACK, moved, replace(moved, version=3, action="withdraw")][:number])
        told = [e for e in events if isinstance(e, TaskChanged | FeedbackAnswered)]
        last.append([(e.change, e.version) for e in told if e.task and e.task.task_id == TASK])
    assert last == [
        [("OPENED", 1)],
        [("FEEDBACK_REFUSED", None)],
        [("CLOSED", 2)],
        [("LIFTED", 3), ("OPENED", 4)],
        [("LIFTED", 5)],
    ]


def test_a_withdrawal_lifts_also_what_was_carried_out() -> None:
    state, events = after(SEEN, FEEDBACK, replace(SEEN, version=2, action="withdraw"))
    assert sum(isinstance(e, TaskChanged) and e.change == "LIFTED" for e in events) == TASKS
    assert (state.standing, statuses(state)) == ("LIFTED", {"LIFTED"})


def test_an_older_version_changes_nothing() -> None:
    _, events = after(replace(SEEN, version=2, action="withdraw"), SEEN)
    assert events == []


def test_feedback_closes_its_task() -> None:
    state, events = after(SEEN, FEEDBACK)
    assert [(e.change, e.faults) for e in events if isinstance(e, FeedbackAnswered)] == [("CLOSED", ())]
    assert state.tasks[TASK].status == "CLOSED"


LIFT = replace(SEEN, version=2, action="withdraw")
FOREIGN = replace(FEEDBACK, topic_agency="420000-gsj", agency="420000-gsj")
REFUSALS: dict[str, tuple[list[Input], Feedback, str]] = {
    "unknown task": ([SEEN], replace(FEEDBACK, task_id="f" * 32), "TASK_UNKNOWN"),
    "another department's task": ([SEEN], FOREIGN, "AGENCY_MISMATCH"),
    "another agency in the body": ([SEEN], replace(FEEDBACK, agency="420000-gsj"), "AGENCY_MISMATCH"),
    "outcome not in the list": ([SEEN], replace(FEEDBACK, outcome="done"), "CODE_LIST"),
    "executed tomorrow": ([SEEN], replace(FEEDBACK, executed_on=TODAY + timedelta(days=1)), "DATE_FUTURE"),
    "closed before": ([SEEN, FEEDBACK], replace(FEEDBACK, feedback_id="fb-2"), "TASK_CLOSED"),
    "lifted before": ([SEEN, LIFT], FEEDBACK, "TASK_LIFTED"),
}


@pytest.mark.parametrize(("history", "given", "code"), REFUSALS.values(), ids=REFUSALS)
def test_feedback_is_refused(history: list[Input], given: Feedback, code: str) -> None:
    before, _ = after(*history)
    state, events = after(*history, given)
    (answer,) = events
    assert isinstance(answer, FeedbackAnswered)
    assert (answer.change, [f.code for f in answer.faults]) == ("FEEDBACK_REFUSED", [code])
    assert answer.addressee == given.topic_agency
    assert {k: h.status for k, h in state.tasks.items()} == {k: h.status for k, h in before.tasks.items()}


def test_of_a_foreign_task_nothing_is_told() -> None:
    _, (answer,) = after(SEEN, FOREIGN)
    assert isinstance(answer, FeedbackAnswered)
    assert answer.task is None


@pytest.mark.parametrize("given", [FEEDBACK, replace(FEEDBACK, outcome="done")], ids=["closed", "refused"])
def test_repeated_feedback_is_answered_as_first(given: Feedback) -> None:
    once, (first,) = after(SEEN, given)
    twice, (again,) = after(SEEN, given, replace(given, at_ms=9999, outcome="executed"))
    assert isinstance(first, FeedbackAnswered)
    assert again == replace(first, repeated=True)
    assert twice == once


def test_a_repeat_after_the_lift_ends_with_what_stands() -> None:
    _, events = after(SEEN, FEEDBACK, LIFT, FEEDBACK)
    told = [(e.change, e.version) for e in events if isinstance(e, TaskChanged | FeedbackAnswered)]
    assert told == [("CLOSED", 2), ("LIFTED", 3)]


def test_a_foreign_agency_cannot_use_up_a_feedback_id() -> None:
    state, _ = after(SEEN, FOREIGN, FEEDBACK)
    assert state.tasks[TASK].status == "CLOSED"


OTHER = b"T" * 16


def moved(link_no: int, subject_id: bytes = OTHER, linked: bool = True) -> LinkMoved:
    return LinkMoved(RECORD, link_no, subject_id, linked, {MEMORANDUM.code: MEMORANDUM}, TODAY, 3000)


def test_a_record_that_moves_takes_its_tasks_to_the_other_subject() -> None:
    state, events = after(SEEN, moved(2))
    changes = [(e.change, e.task.subject.subject_id) for e in events if isinstance(e, TaskChanged)]
    assert changes == [("LIFTED", SUBJECT.subject_id)] * TASKS + [("OPENED", OTHER)] * TASKS
    assert statuses(state) == {"OPENED"}
    assert {held.task.subject.code for held in state.tasks.values()} == {SUBJECT.code}  # as it was reported
    assert after(SEEN, moved(2), moved(2))[1] == []
    assert after(SEEN, moved(2), moved(1, SUBJECT.subject_id))[1] == []


def test_a_move_that_overtakes_its_record_is_not_forgotten() -> None:
    state, _ = after(moved(2), SEEN)
    assert {held.task.subject.subject_id for held in state.tasks.values()} == {OTHER}
    assert statuses(state) == {"OPENED"}


def test_what_is_nobodys_has_no_tasks_until_it_is_linked_again() -> None:
    nobodys = moved(2, SUBJECT.subject_id, linked=False)
    state, _ = after(SEEN, nobodys)
    assert statuses(state) == {"LIFTED"}
    assert after(SEEN, nobodys, SEEN)[1] == []  # an old word of it, late
    about = replace(SEEN, subject=replace(SUBJECT, subject_id=OTHER))
    state, _ = after(SEEN, nobodys, Relinked(about, 3))
    assert statuses(state) == {"OPENED"}
    assert {held.task.subject.subject_id for held in state.tasks.values()} == {OTHER}
    early, _ = after(SEEN, Relinked(about, 3), nobodys)
    assert (early.standing, early.subject, early.link_no) == (state.standing, state.subject, state.link_no)
