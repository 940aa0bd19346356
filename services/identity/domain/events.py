"""What happens in identity, and the values it happens to."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.codes import Reference
from services.identity.domain.ledger import Judgement, Mapped
from services.identity.domain.orders import Order
from services.identity.domain.relations import EndedAs, Holder, Relation
from services.identity.domain.terms import Cause, Change, Decision, Reason


class Code(NamedTuple):
    """A code by which an organisation is known."""

    kind: str
    code: str


class Claim(NamedTuple):
    """A record says that a code is a subject's; `binding`: if it cannot be so, the record itself is in doubt."""

    subject: Reference
    alias: Reference
    binding: bool


class RecordSeen(NamedTuple):
    """One accepted version of a record, with the names it uses and the bytes that will be passed on."""

    record_id: bytes
    version: int
    item: str
    action: str
    agency: str
    subject_kind: str
    named: Reference
    subject_name: str
    accepted_at: int
    produced_at: int
    accepted: bytes  # the RecordAccepted body, untouched
    at_ms: int
    claims: tuple[Claim, ...] = ()
    trouble: Reason | None = None  # the payload that should hold a claim cannot be read
    holder: Holder | None = None  # whom it names as holding an office

    @property
    def withdraws(self) -> bool:
        """Whether this version takes the record back."""
        return self.action == "withdraw"


class Subject(NamedTuple):
    """An organisation or sole trader; version 0: not known yet."""

    subject_id: bytes
    kind: str = "org"
    name: str | None = None
    named_at: int = 0  # when the registration that gave the name was produced
    version: int = 0
    codes: tuple[Code, ...] = ()
    merged_into: bytes | None = None  # who stands for it since they were found to be the same


class Alias(NamedTuple):
    """An old code; `subject_id` is None until a mapping or a registration brings it."""

    alias_id: bytes
    kind: str
    subject_id: bytes | None = None
    source: str = ""  # the item that brought it
    contested: bool = False


class Held(NamedTuple):
    """A version in review; `alias_id` is what it waits for, a code or a subject's name; None: nothing would help."""

    given: RecordSeen
    reason: Reason
    alias_id: bytes | None
    link_no: int = 0  # of the change that made its record nobody's; 0: it was not linked before


class Link(NamedTuple):
    """Whom a record is about, by which rule, and the kinds of evidence (never the evidence)."""

    subject_id: bytes
    rule: str
    evidence: tuple[str, ...]


class SubjectChanged(NamedTuple):
    """A subject is new, gained a code, or its registered name changed; `subject` is what it is now.

    Told from the lane of whichever record brought it, so changes may come out of order; each tells the whole subject,
    and its version, counted under the subject's lock, says which stands.
    """

    subject: Subject
    change: Change
    at_ms: int


class NameConfirmed(NamedTuple):
    """A younger registration gave the same name: told to nobody, but an older one cannot overrule it any more."""

    subject_id: bytes
    named_at: int


class AliasBound(NamedTuple):
    """A code got its subject, which it keeps until nobody claims it any more, or a registration brings it too."""

    alias: Alias


class AliasContested(NamedTuple):
    """Another registration holds the same code: from now on it links nothing."""

    alias_id: bytes


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


class AliasFreed(NamedTuple):
    """No mapping claims the code any more, and no registration brought it: it is nobody's."""

    alias_id: bytes


class MappingStands(NamedTuple):
    """What a mapping claims from now on; None: nothing any more."""

    record_id: bytes
    mapped: Mapped | None


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


class SubjectsJudged(NamedTuple):
    """Somebody said something of two subjects."""

    judgement: Judgement


class ReviewClaimed(NamedTuple):
    """A reviewer takes a version for some time; by None: gives it back."""

    record_id: bytes
    version: int
    by: str | None
    until_ms: int


class ReviewDecided(NamedTuple):
    """A person decided about a version in review; not `carried_out`: proposed, another person must decide alike."""

    order: Order
    record_id: bytes
    version: int
    decision: Decision
    subject_id: bytes | None
    carried_out: bool


class RecordRejected(NamedTuple):
    """A person took a version out of review for good: told to nobody."""

    record_id: bytes
    version: int
    at_ms: int


class OrderAnswered(NamedTuple):
    """The last word about a command; `again`: it was answered before, and so."""

    order: Order
    faults: tuple[str, ...]
    detail: str | None
    again: bool = False


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
