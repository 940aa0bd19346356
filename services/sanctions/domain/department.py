"""The aggregate: a department, which can be told of its tasks once it is registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.sanctions.domain.events import Held, TaskChanged


class AgencyRegistered(NamedTuple):
    """An agency has its topics now."""

    code: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class DepartmentKnown:
    """From now on its tasks are told as they open."""

    code: str


@dataclass(frozen=True, slots=True)
class Department:
    """The state: `untold` are the tasks that opened before the department was registered and still stand open."""

    code: str
    known: bool = False
    untold: tuple[Held, ...] = ()


def decide(state: Department, given: AgencyRegistered) -> Sequence[DepartmentKnown | TaskChanged]:
    """The first registration tells what has waited for it, in the version in which it stands.

    Meanwhile another lane may change and tell such a task; the versions say which of the two is the later word.
    """
    if state.known:
        return ()
    waited = (TaskChanged("OPENED", held.task, held.version, given.at_ms) for held in state.untold)
    return (DepartmentKnown(state.code), *waited)


def evolve(state: Department, event: DepartmentKnown | TaskChanged) -> Department:
    """Apply one event."""
    if isinstance(event, DepartmentKnown):
        return replace(state, known=True)
    return replace(state, untold=tuple(held for held in state.untold if held.task.task_id != event.task.task_id))
