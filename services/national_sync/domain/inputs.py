"""What an exchange with the national platform is decided on."""

from __future__ import annotations

from typing import NamedTuple

from services.national_sync.domain.events import Action, Verdict


class RecordSeen(NamedTuple):
    """A record of an item that the nation collects."""

    record_id: bytes
    version: int
    item: str
    action: Action
    submission: bytes
    at_ms: int


class Relinked(NamedTuple):
    """A version told again with the number of the link by which its record is about somebody known again."""

    seen: RecordSeen
    link_no: int

    @property
    def record_id(self) -> bytes:
        """Which record."""
        return self.seen.record_id


class Unlinked(NamedTuple):
    """A record, perhaps of an item that the nation does not collect, is about nobody known any more."""

    record_id: bytes
    link_no: int
    at_ms: int


class Answer(NamedTuple):
    """What the gateway heard about one push; `version` is its number."""

    record_id: bytes
    version: int
    attempt: int
    action: Action
    verdict: Verdict
    code: str
    text: str
    at_ms: int


class RetryDue(NamedTuple):
    """A timer: push this again; `version` is the number of the push."""

    record_id: bytes
    version: int
    at_ms: int


class Irrelevant(NamedTuple):
    """A record of an item that the nation does not collect, or a change that it is not told of."""


Input = RecordSeen | Relinked | Unlinked | Answer | RetryDue | Irrelevant
