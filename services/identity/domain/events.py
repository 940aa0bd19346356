"""What happens to records, and all that happens in identity."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.order_events import (
    OrderAnswered,
    RecordRejected,
    ReviewClaimed,
    ReviewDecided,
    SubjectsJudged,
)
from services.identity.domain.records import Held, Link, RecordSeen
from services.identity.domain.relations import EndedAs, Relation
from services.identity.domain.subject_events import (
    AliasBound,
    AliasContested,
    AliasFreed,
    MappingStands,
    NameConfirmed,
    SubjectChanged,
)
from services.identity.domain.terms import Cause


class RecordLinked(NamedTuple):
    """A version is about this subject; `released`: it had been in review.

    A release is told from the lane of the mapping that brought the code, the next version from the record's own: the
    later may be on the topic first. Each version tells the whole record, so every reader passes the older one over.
    """

    given: RecordSeen
    link: Link
    released: bool
    at_ms: int
    about: bytes = b""  # who stands for the subject, if another does
    link_no: int = 0  # its record was nobody's before: told with this number too


class RecordHeld(NamedTuple):
    """A version cannot be linked and goes to the review list, or stays there for another reason than before."""

    held: Held
    at_ms: int


class VersionsMissing(NamedTuple):
    """A version came before these older ones of its record."""

    record_id: bytes
    versions: tuple[int, ...]


class VersionArrived(NamedTuple):
    """One of those came after all."""

    record_id: bytes
    version: int


class RecordOvertaken(NamedTuple):
    """A version came when a newer one was linked already: superseded before it was looked at, and told to nobody."""

    given: RecordSeen
    at_ms: int


class RecordSuperseded(NamedTuple):
    """A version in review was overtaken by a later one; it is not told, since order per record is kept."""

    record_id: bytes
    version: int
    at_ms: int


class NumberTaken(NamedTuple):
    """So many changes of links there have been."""

    number: int


class RecordMoved(NamedTuple):
    """A record is another subject's, which stands for the one that its code names. Its own link stays."""

    record_id: bytes
    link_no: int
    subject_id: bytes
    cause: Cause
    at_ms: int


class RecordUnlinked(NamedTuple):
    """A record is nobody's who is known, since the code that linked it was taken back; its newest version is held."""

    record_id: bytes
    link_no: int
    subject_id: bytes  # whom it was told about
    at_ms: int


class RelationBegan(NamedTuple):
    """A record says from this version on that somebody holds an office."""

    record_id: bytes
    relation: Relation


class RelationEnded(NamedTuple):
    """It does so no more; `ended_by`: the version that ended it, none where the record lost its link."""

    record_id: bytes
    version: int  # which had brought it
    ended_as: EndedAs
    ended_by: int | None
    at_ms: int


Event = (
    SubjectChanged
    | NameConfirmed
    | AliasBound
    | AliasContested
    | RecordLinked
    | RecordHeld
    | RecordSuperseded
    | VersionsMissing
    | VersionArrived
    | RecordOvertaken
    | AliasFreed
    | MappingStands
    | NumberTaken
    | RecordMoved
    | RecordUnlinked
    | RelationBegan
    | RelationEnded
    | SubjectsJudged
    | ReviewClaimed
    | ReviewDecided
    | RecordRejected
    | OrderAnswered
)
