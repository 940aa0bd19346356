"""Versions of records: what they claim, whom they are linked to, why they wait."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.codes import Reference
from services.identity.domain.relations import Holder
from services.identity.domain.terms import Reason


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
