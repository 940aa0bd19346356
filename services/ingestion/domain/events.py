"""What ingestion states: about records, agencies and catalogue items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from services.ingestion.domain.faults import Fault
from services.ingestion.domain.life import Candidate, Consumer, Draft, Publication, Retirement, Seal
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
class ItemDrafted:
    """A unit has proposed what a catalogue item is to be."""

    command_id: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class DraftsMerged:
    """One definition stands in the place of several drafts and waits for its seals."""

    command_id: str
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class ItemConfirmed:
    """A responsible unit has confirmed the merged draft; `missing` have not yet."""

    command_id: str
    seal: Seal
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemPublished:
    """An edition of a catalogue item is in force."""

    command_id: str
    version: int
    definition: str
    schema_id: int
    publication: Publication


@dataclass(frozen=True, slots=True)
class ItemRetired:
    """The item takes no new reports."""

    command_id: str
    retirement: Retirement


@dataclass(frozen=True, slots=True)
class ConsumerRegistered:
    """Somebody reads these fields of the item; with none, no longer."""

    command_id: str
    consumer: Consumer


class ItemTold(NamedTuple):
    """What the world knows of an item from now on; it changes no state."""

    version: int
    definition: str
    schema_id: int
    publication: Publication
    retired: Retirement | None
    consumers: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class CommandRepeated:
    """A command whose wish is already fulfilled; it is answered as it was the first time."""

    command_id: str


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command that changed nothing."""

    command_id: str
    faults: tuple[Fault, ...]


ItemEvent = ItemDrafted | DraftsMerged | ItemConfirmed | ItemPublished | ItemRetired | ConsumerRegistered
ReferenceEvent = AgencyRegistered | ItemEvent | ItemTold | CommandRepeated | CommandRefused
