"""What happens to the exchange of a record."""

from __future__ import annotations

from typing import Literal, NamedTuple

Action = Literal["put", "delete"]
Verdict = Literal["ACKNOWLEDGED", "REFUSED", "TRANSIENT"]
Status = Literal["UNKNOWN", "PENDING", "ACKNOWLEDGED", "REFUSED", "RETRYING"]


class PushWanted(NamedTuple):
    """A new version has to be pushed; `submission` is what the agency sent, mapped when it is pushed.

    So has one whose link changed: `link_no` is of the last such change, 0 if there was none. `nobodys`: it is about
    nobody known, and so is pushed as `delete`.
    """

    version: int
    item: str
    action: Action
    submission: bytes
    at_ms: int
    link_no: int = 0
    nobodys: bool = False


class LinkNoted(NamedTuple):
    """The link of a record changed before any version of it came: it is kept for that one, and told to nobody."""

    link_no: int
    nobodys: bool
    at_ms: int


class PushDueAgain(NamedTuple):
    """The pause after a failed push is over."""

    version: int
    item: str
    attempt: int
    at_ms: int
    link_no: int = 0


class Answered(NamedTuple):
    """The national platform answered, or did not. `moves_to` is None for an answer that comes too late to count.

    `version` is the number of the push (`Exchange.number`): if it counts, the record's version and `link_no` together.
    """

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
    link_no: int = 0


Event = PushWanted | LinkNoted | PushDueAgain | Answered
