"""What a joint action is decided on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.sanctions.domain.events import Fault, Subject
from services.sanctions.domain.memorandum import Memorandum


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
