"""What follows from orders: what people said of subjects and decided about versions in review."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.ledger import Judgement
from services.identity.domain.orders import Order
from services.identity.domain.terms import Decision


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
