"""What ingestion states: about records, agencies and catalogue items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from services.ingestion.domain.faults import Fault
from services.ingestion.domain.profile import UNKNOWN, Profile


class RecordAccepted(NamedTuple):
    """A version of a record stands: reported, corrected or withdrawn."""

    version: int
    action: str
    content: bytes
    produced_at: int
    digest: bytes
    accepted_at: int
    item_version: int
    schema_id: int
    record_id: bytes
    submission: bytes  # framed, as the agency sent it


class SubmissionDuplicate(NamedTuple):
    """The same was said before; nothing changes but that this submission is known too."""

    digest: bytes


class SubmissionRefused(NamedTuple):
    """Nothing was taken over; the faults say why."""

    faults: tuple[Fault, ...]


RecordEvent = RecordAccepted | SubmissionDuplicate | SubmissionRefused


@dataclass(frozen=True, slots=True)
class AgencyRegistered:
    """An agency may submit these items from now on."""

    command_id: str
    name_zh: str
    region: str
    items: tuple[str, ...]
    profile: Profile = UNKNOWN


@dataclass(frozen=True, slots=True)
class ItemPublished:
    """An edition of a catalogue item is in force."""

    command_id: str
    version: int
    definition: str
    schema_id: int


@dataclass(frozen=True, slots=True)
class CommandRepeated:
    """A command whose wish is already fulfilled; it is answered as it was the first time."""

    command_id: str


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command that changed nothing."""

    command_id: str
    faults: tuple[Fault, ...]


ReferenceEvent = AgencyRegistered | ItemPublished | CommandRepeated | CommandRefused
