"""A department is told of its tasks once it is registered."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from services.sanctions.domain.department import AgencyRegistered, Department, DepartmentKnown, decide, evolve
from services.sanctions.domain.events import Held, Subject, Task, TaskChanged

GIVEN = AgencyRegistered("420000-gsj", 5)
TASK = Task("t1", b"R" * 16, "m", "a", "text", "1", "420000-gsj", Subject(b"S" * 16, None, None), None)
OTHER = replace(TASK, task_id="t2")


def test_the_first_registration_tells_what_waited() -> None:
    state = Department("420000-gsj", untold=(Held(TASK, "OPENED", 1), Held(OTHER, "OPENED", 3)))
    events = decide(state, GIVEN)
    assert events == (
        DepartmentKnown("420000-gsj"),
        TaskChanged("OPENED", TASK, 1, 5),
        TaskChanged("OPENED", OTHER, 3, 5),
    )
    assert reduce(evolve, events, state) == Department("420000-gsj", known=True)


def test_a_second_registration_tells_nothing() -> None:
    assert decide(Department("420000-gsj", known=True), GIVEN) == ()
