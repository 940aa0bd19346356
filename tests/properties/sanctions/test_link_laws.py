"""Versions of a listing and changes of its link, in any order: sanctions ends as the one that heard all in order."""

from __future__ import annotations

from functools import reduce
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from services.sanctions.domain.deciding import decide
from services.sanctions.domain.events import Subject
from services.sanctions.domain.inputs import Input, LinkMoved, RecordSeen, Relinked
from services.sanctions.domain.joint_action import JointAction, evolve
from tests.properties.sanctions.test_joint_action_laws import MEMORANDUM, RECORD, TODAY

SUBJECTS = (b"S" * 16, b"T" * 16, b"U" * 16)
BY_CODE = {MEMORANDUM.code: MEMORANDUM}
steps = st.lists(st.sampled_from(["version", "move", "nobody", "again"]), max_size=8)
subjects = st.lists(st.sampled_from(SUBJECTS), min_size=9, max_size=9)


def seen(version: int, subject_id: bytes) -> RecordSeen:
    action = "report" if version == 1 else "correct"
    return RecordSeen(RECORD, version, action, "org", Subject(subject_id, "A", "甲"), MEMORANDUM, TODAY, version)


def moved(link_no: int, subject_id: bytes, linked: bool) -> LinkMoved:
    return LinkMoved(RECORD, link_no, subject_id, linked, BY_CODE, TODAY, 50)


def story(kinds: list[str], about: list[bytes]) -> list[Input]:
    """What identity tells of one record, in the order in which it decides: both numbers only rise.

    A version that comes while the record is nobody's waits in review, and is told behind those before it.
    """
    told: list[Input] = [seen(1, about[0])]
    version, link_no, whose, linked, waiting, found_by = 1, 0, about[0], True, [1], 0
    for kind, subject_id in zip(kinds, about[1:], strict=False):
        if kind == "move" and linked:
            link_no, whose = link_no + 2, subject_id
            told.append(moved(link_no, whose, linked=True))
        elif kind == "nobody" and linked:
            link_no, linked, waiting = link_no + 2, False, [version]
            told.append(moved(link_no, whose, linked=False))
        elif kind == "again" and not linked:
            link_no, linked, whose = link_no + 1, True, subject_id
            found_by = link_no
            for one in waiting:
                told += [seen(one, whose), Relinked(seen(one, whose), found_by)]
        elif kind == "version":
            version += 1
            if not linked:
                waiting.append(version)
            else:
                told += [seen(version, whose), *([Relinked(seen(version, whose), found_by)] if found_by else [])]
    return told


def ends(told: list[Input]) -> tuple[object, ...]:
    """Whether it is listed, whom it is about, and of whom tasks are under way."""
    state = JointAction(RECORD)
    for one in told:
        state = reduce(evolve, decide(state, one), state)
    about = None if state.nobodys or state.subject is None else state.subject.subject_id
    under_way = {held.task.subject.subject_id for held in state.tasks.values() if held.status != "LIFTED"}
    return state.standing == "LISTED", about, state.nobodys, under_way


@given(steps, subjects, st.randoms())
@example(["nobody", "version", "again"], [SUBJECTS[0]] * 9, Random(3))
def test_the_order_in_which_it_is_heard_does_not_matter(kinds: list[str], about: list[bytes], chance: Random) -> None:
    told = story(kinds, about)
    assert ends(chance.sample(told, len(told)) + told[:2]) == ends(told)


def test_a_correction_that_was_heard_before_its_link_was_lost_is_listed_when_it_is_found() -> None:
    """The lane of links is behind: it tells of the older version first, which must not keep the newer one away."""
    jia = SUBJECTS[0]
    again = [Relinked(seen(version, jia), 5) for version in (1, 2)]
    heard: list[Input] = [seen(1, jia), seen(2, jia), moved(4, jia, linked=False), *again]
    assert ends(heard) == (True, jia, False, {jia})
