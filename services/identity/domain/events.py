"""What happens in identity, and the values it happens to."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.codes import Reference
from services.identity.domain.terms import Change, Reason


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
    """A code got its subject; this is never changed afterwards."""

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
)
