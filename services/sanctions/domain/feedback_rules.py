"""When feedback is refused, and what the department is told."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from services.sanctions.domain.events import Change, Fault, Task

OUTCOMES = ("executed", "not_applicable")
CLAUSE = "发改财金〔2016〕141号（反馈机制，未核验）"


class Given(Protocol):
    """The part of a feedback that the rules look at."""

    @property
    def topic_agency(self) -> str: ...
    @property
    def agency(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def executed_on(self) -> date | None: ...
    @property
    def today(self) -> date: ...
    @property
    def faults(self) -> tuple[Fault, ...]: ...


def _fault(code: str, field: str, rule: str, zh: str, en: str, example: str = "") -> Fault:
    return Fault(code, field, rule, CLAUSE, zh, en, example)


UNREADABLE = _fault(
    "FEEDBACK_UNREADABLE", "", "credit.feedback.v1", "反馈无法按约定格式读取", "the feedback cannot be read"
)
NOTE_TOO_LONG = _fault("FIELD_TOO_LONG", "note", "<= 2000", "说明超过2000字", "the note is longer than 2000 characters")
ID_FORMAT = _fault(
    "FIELD_FORMAT", "feedback_id", "1..64", "反馈编号为空或过长", "feedback_id must have 1 to 64 characters", "fb-0001"
)
TASK_UNKNOWN = _fault("TASK_UNKNOWN", "task_id", "an opened task", "没有这项任务", "there is no such task")
NOT_YOURS = _fault(
    "AGENCY_MISMATCH", "agency", "topic = department", "只能反馈本部门的任务", "only the obliged department may answer"
)
OUTCOME = _fault(
    "CODE_LIST",
    "outcome",
    " | ".join(OUTCOMES),
    "反馈结果不在代码表内",
    "the outcome is not in the code list",
    "executed",
)
FUTURE = _fault("DATE_FUTURE", "executed_on", "<= today", "执行日期晚于今天", "executed_on lies in the future")
CLOSED = _fault("TASK_CLOSED", "task_id", "status OPENED", "任务已反馈", "the task was answered before")
LIFTED = _fault("TASK_LIFTED", "task_id", "status OPENED", "任务已解除", "the task has been lifted")


def faults(given: Given, task: Task | None, status: Change | None) -> tuple[Fault, ...]:
    """Everything that is wrong; of a task that is not the sender's no content is told."""
    if given.faults:
        return given.faults
    if given.agency != given.topic_agency:
        return (NOT_YOURS,)
    if task is None or task.department != given.topic_agency:
        return (TASK_UNKNOWN if task is None else NOT_YOURS,)
    found: list[Fault] = []
    if given.outcome not in OUTCOMES:
        found.append(OUTCOME)
    if given.executed_on is None or given.executed_on > given.today:
        found.append(FUTURE)
    if status in ("CLOSED", "LIFTED"):
        found.append(CLOSED if status == "CLOSED" else LIFTED)
    return tuple(found)
