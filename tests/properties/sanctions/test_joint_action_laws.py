"""Laws of the joint action: whatever comes in whatever order, these hold."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import date
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from services.sanctions.domain.deciding import decide, task_id_of
from services.sanctions.domain.events import Event, FeedbackAnswered, Subject, TaskChanged
from services.sanctions.domain.inputs import Feedback, Input, RecordSeen
from services.sanctions.domain.joint_action import JointAction, evolve
from services.sanctions.domain.memorandum import Measure, Memorandum

RECORD = b"R" * 16
TODAY = date(2017, 11, 24)
DEPARTMENTS = ("420000-gsj", "420000-hbt")
MEASURES = tuple(Measure(code, code, "1", "law", "unverified", DEPARTMENTS) for code in ("a", "b"))
MEMORANDUM = Memorandum("m", "备忘录", "文号", "court-defaulter", ("org",), 30, MEASURES)
TASK_IDS = [task_id_of(RECORD, m.code, d) for m in MEASURES for d in DEPARTMENTS]

records = st.builds(
    RecordSeen,
    record_id=st.just(RECORD),
    version=st.integers(1, 6),
    action=st.sampled_from(["report", "correct", "withdraw"]),
    subject_kind=st.sampled_from(["org", "org", "org", "person"]),
    subject=st.sampled_from([Subject(b"S" * 16, "A", "甲"), Subject(b"T" * 16, "B", "乙")]),
    memorandum=st.just(MEMORANDUM),
    opened_on=st.just(TODAY),
    at_ms=st.integers(0, 9),
)
feedbacks = st.builds(
    Feedback,
    feedback_id=st.sampled_from(["f1", "f2"]),
    task_id=st.sampled_from([*TASK_IDS, "unknown"]),
    topic_agency=st.sampled_from(DEPARTMENTS),
    agency=st.sampled_from(DEPARTMENTS),
    outcome=st.sampled_from(["executed", "not_applicable", "nonsense"]),
    executed_on=st.just(TODAY),
    today=st.just(TODAY),
    at_ms=st.integers(0, 9),
)
histories = st.lists(st.one_of(records, feedbacks), max_size=14)


def run(inputs: list[Input]) -> tuple[JointAction, list[tuple[Input, list[Event]]]]:
    state, said = JointAction(RECORD), list[tuple[Input, list[Event]]]()
    for one in inputs:
        events = decide(state, one)
        said.append((one, events))
        state = reduce(evolve, events, state)
    return state, said


@given(histories)
def test_the_last_thing_said_about_a_task_is_how_it_stands(inputs: list[Input]) -> None:
    state, said = run(inputs)
    last: dict[str, str] = {}
    for _, events in said:
        for event in events:
            if isinstance(event, TaskChanged):
                last[event.task.task_id] = event.change
            elif isinstance(event, FeedbackAnswered) and event.change == "CLOSED":
                last[event.task_id] = event.change
    assert last == {task_id: held.status for task_id, held in state.tasks.items()}


@given(histories, st.randoms(use_true_random=False))
def test_in_whatever_order_it_comes_the_highest_version_told_is_how_a_task_stands(
    inputs: list[Input], chance: random.Random
) -> None:
    """Each version is one change; what two lanes tell may be published in any order."""
    state, said = run(inputs)
    told = [event for _, events in said for event in events]
    chance.shuffle(told)
    stands: dict[str, dict[int, str]] = defaultdict(dict)
    for event in told:
        if isinstance(event, TaskChanged | FeedbackAnswered) and event.task and event.version:
            assert stands[event.task.task_id].setdefault(event.version, event.change) == event.change
    for task_id, held in state.tasks.items():
        versions = stands[task_id]
        assert sorted(versions) == list(range(1, held.version + 1))
        assert versions[held.version] == held.status


@given(histories)
def test_open_tasks_exist_only_while_an_organisation_is_listed(inputs: list[Input]) -> None:
    state, _ = run(inputs)
    unlifted = [held for held in state.tasks.values() if held.status != "LIFTED"]
    assert bool(unlifted) == (state.standing == "LISTED")
    assert all(held.task.subject.subject_id == state.subject.subject_id for held in unlifted if state.subject)


@given(histories)
def test_every_feedback_is_answered_once_to_its_sender(inputs: list[Input]) -> None:
    _, said = run(inputs)
    for one, events in said:
        answers = [e for e in events if isinstance(e, FeedbackAnswered)]
        assert len(answers) == isinstance(one, Feedback)
        assert all(isinstance(one, Feedback) and a.addressee == one.topic_agency for a in answers)


@given(histories)
def test_only_the_own_department_closes(inputs: list[Input]) -> None:
    _, said = run(inputs)
    for one, events in said:
        for event in events:
            if isinstance(event, FeedbackAnswered) and event.change == "CLOSED":
                assert isinstance(one, Feedback) and event.task is not None
                assert event.task.department == one.topic_agency


@given(histories)
def test_everything_twice_is_everything_once(inputs: list[Input]) -> None:
    """Each message repeated at once changes nothing but `repeated`."""
    once, said = run(inputs)
    twice, _ = run([one for one in inputs for _ in range(2)])
    assert twice == once
    for one, events in said:
        if isinstance(one, RecordSeen):
            assert decide(reduce(evolve, events, once), one) == []


@given(
    st.permutations(range(1, 5)), st.lists(st.sampled_from(["report", "correct", "withdraw"]), min_size=4, max_size=4)
)
def test_the_newest_version_stands_in_whatever_order_versions_come(order: list[int], actions: list[str]) -> None:
    seen = RecordSeen(RECORD, 0, "", "org", Subject(b"S" * 16, "A", "甲"), MEMORANDUM, TODAY, 0)
    state, _ = run([replace(seen, version=v, action=actions[v - 1]) for v in order])
    assert (state.version, state.standing) == (4, "LIFTED" if actions[3] == "withdraw" else "LISTED")


@given(histories)
def test_a_person_is_never_the_subject_of_a_task_that_opens(inputs: list[Input]) -> None:
    _, said = run(inputs)
    for one, events in said:
        if isinstance(one, RecordSeen) and one.subject_kind == "person":
            assert not [e for e in events if isinstance(e, TaskChanged) and e.change == "OPENED"]
