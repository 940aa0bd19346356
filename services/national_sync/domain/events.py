"""What happens to the exchange of a record."""

from __future__ import annotations

from typing import Literal, NamedTuple

Action = Literal["put", "delete"]
Verdict = Literal["ACKNOWLEDGED", "REFUSED", "TRANSIENT"]
Status = Literal["UNKNOWN", "PENDING", "ACKNOWLEDGED", "REFUSED", "RETRYING"]


class PushWanted(NamedTuple):
    """A new version has to be pushed; `submission` is what the agency sent, mapped when it is pushed."""

    version: int
    item: str
    action: Action
    submission: bytes
    at_ms: int


class PushDueAgain(NamedTuple):
    """The pause after a failed push is over."""

    version: int
    item: str
    attempt: int
    at_ms: int


class Answered(NamedTuple):
    """The national platform answered, or did not. `moves_to` is None for an answer that comes too late to count."""

    version: int
    item: str
    attempt: int
    action: Action
    verdict: Verdict
    code: str
    text: str
    at_ms: int
    moves_to: Status | None
    retry_at_ms: int | None = None


Event = PushWanted | PushDueAgain | Answered
