"""What comes to the file of a subject: versions of records, changes of their links, erasures."""

from __future__ import annotations

from typing import NamedTuple

from services.disclosure.domain.events import Shown
from services.disclosure.domain.terms import Feed


class RecordSeen(NamedTuple):
    """A linked version of a record; `shown` is None while it is unknown what may be shown of it."""

    record_id: bytes
    version: int
    subject_id: bytes
    action: str
    feeds: tuple[Feed, ...]
    shown: Shown | None
    at_ms: int

    @property
    def withdraws(self) -> bool:
        """Whether this version takes the record back."""
        return self.action == "withdraw"


class Relinked(NamedTuple):
    """A version told again with the number of the link by which it is its subject's."""

    seen: RecordSeen
    link_no: int

    @property
    def record_id(self) -> bytes:
        """Which record."""
        return self.seen.record_id

    @property
    def subject_id(self) -> bytes:
        """Whose it is."""
        return self.seen.subject_id


class LinkMoved(NamedTuple):
    """A record is another subject's; not `linked`: nobody's who is known. What it says stands."""

    record_id: bytes
    link_no: int
    subject_id: bytes
    linked: bool
    at_ms: int


class SubjectErased(NamedTuple):
    """A person was erased: what is known of the subject is to be shown no more."""

    subject_id: bytes
    at_ms: int


Input = RecordSeen | Relinked | LinkMoved | SubjectErased
