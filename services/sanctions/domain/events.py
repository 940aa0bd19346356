"""What happens in sanctions, and what it happens to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

Change = Literal["OPENED", "CLOSED", "LIFTED", "FEEDBACK_REFUSED"]


class Fault(NamedTuple):
    """Why feedback was refused, in the form of the contract."""

    code: str
    field: str
    rule: str
    clause: str
    message_zh: str
    message_en: str
    example: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is listed: an organisation, never a natural person."""

    subject_id: bytes
    code: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """One measure for one department because of one record."""

    task_id: str
    record_id: bytes
    memorandum: str
    measure: str
    measure_text: str
    article: str
    department: str
    subject: Subject
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Held:
    """A task and where it stands; `version` counts its changes from 1, whatever lane they came in."""

    task: Task
    status: Change
    version: int


@dataclass(frozen=True, slots=True)
class Listed:
    """The record stands, in this version, about this subject."""

    version: int
    subject: Subject
    memorandum: str


@dataclass(frozen=True, slots=True)
class Delisted:
    """The record was withdrawn."""

    version: int


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """Whose the record is; `nobodys`: it was linked, and is about nobody known now. `version` stands after it.

    Its tasks are told apart from this.
    """

    link_no: int
    subject_id: bytes
    nobodys: bool
    version: int


@dataclass(frozen=True, slots=True)
class ListingRefused:
    """The record makes no tasks: the memorandum does not reach this kind of subject."""

    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class TaskChanged:
    """A task opened or was lifted, by which it came to this version; or what stands is told once more."""

    change: Change
    task: Task
    version: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class FeedbackAnswered:
    """Feedback closed its task or was refused. `task` is None where it is not the addressee's to know.

    `version`: that of the task which this closed; None of a refusal, which says nothing of how the task stands.
    `repeated`: the same feedback came again and is answered as it was answered first; nothing changes.
    """

    change: Change
    addressee: str
    task_id: str
    feedback_id: str
    faults: tuple[Fault, ...]
    at_ms: int
    task: Task | None
    version: int | None = None
    repeated: bool = False


Event = Listed | Delisted | LinkChanged | ListingRefused | TaskChanged | FeedbackAnswered
