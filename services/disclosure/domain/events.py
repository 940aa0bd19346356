"""What happens in disclosure, and the values it happens to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from services.disclosure.domain.terms import Change, Feed, Reason


class Shown(NamedTuple):
    """What is shown of a record as it stands: provenance, and field code -> text."""

    item: str
    item_version: int
    agency: str
    submission_id: str
    subject_code: str | None
    subject_name: str | None
    decided_on: date
    accepted_at_ms: int
    fields: Mapping[str, str]


# Of an erased person a feed says which record is gone and nothing else: the contract has no empty day, so the first.
BLANK = Shown("", 0, "", "", None, None, date(1970, 1, 1), 0, {})


class Standing(NamedTuple):
    """The newest version of a record; `shown` is None where no feed may have it, and after the withdrawal."""

    record_id: bytes
    version: int
    subject_id: bytes
    feeds: tuple[Feed, ...] = ()
    withdrawn: bool = False
    shown: Shown | None = None
    link_no: int = 0  # of the last change of its link; 0: whose it is, its versions say
    nobodys: bool = False  # it was linked, and is about nobody known now

    def on(self, feed: Feed) -> Shown | None:
        """What this feed shows of it."""
        return self.shown if feed in self.feeds else None


class RecordChanged(NamedTuple):
    """One line of one feed; `shown` is what it is about: what is shown now, or of a withdrawal what was.

    A record that moves to another subject is told in that one's lane, to the old one's feed too; nothing orders what
    two lanes publish: `subject_seq`, which is compared and set, is the order of a subject's lines.
    """

    feed: Feed
    subject_id: bytes
    subject_seq: int
    change: Change
    record_id: bytes
    version: int
    shown: Shown
    fields_changed: tuple[str, ...]
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None
    reason: Reason | None
    at_ms: int


class RecordStands(NamedTuple):
    """A version is the newest; told to nobody, for what of it may be told is in `RecordChanged`."""

    standing: Standing
    at_ms: int


class RecordWaits(NamedTuple):
    """The edition of its item is not here yet, so what may be shown of it is unknown; it is looked at again."""

    record_id: bytes
    version: int
    again_at_ms: int


class FileErased(NamedTuple):
    """Of this subject nothing is shown, and never will be."""

    subject_id: bytes
    at_ms: int


Event = RecordChanged | RecordStands | RecordWaits | FileErased


class Code(NamedTuple):
    """A code by which an organisation is known."""

    kind: str
    code: str


@dataclass(frozen=True, slots=True)
class CardChanged:
    """Name and codes of a subject, as identity knows them now."""

    version: int
    kind: str
    name: str | None
    codes: tuple[Code, ...]
    at_ms: int
    merged_into: bytes | None = None


class PersonErased(NamedTuple):
    """Identity has said it; the person's file hears of it by a timer, which is due at once."""

    subject_id: bytes
    at_ms: int


class FieldRule(NamedTuple):
    """A field that may be shown; `names_subject`: it repeats the subject's name or code."""

    code: str
    names_subject: bool


@dataclass(frozen=True, slots=True)
class EditionKnown:
    """Which fields an edition of a catalogue item lets us show."""

    version: int
    rules: tuple[FieldRule, ...]
    at_ms: int
