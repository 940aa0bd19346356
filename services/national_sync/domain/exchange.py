"""The aggregate: one record's exchange with the national platform.

Versions of a record and changes of its link come in different lanes, in any order. Both counts only rise, and so does
their sum, by which the platform tells pushes apart and knows the later one. Whatever raises one of them is pushed, so
in the end what was pushed last depends on the highest of both and not on the order. To whom a record moves in a merge
is not told to the nation, so such a change counts for nothing here.
"""

from __future__ import annotations

from typing import NamedTuple

from services.national_sync.domain.events import (
    Action,
    Answered,
    Event,
    LinkNoted,
    PushDueAgain,
    PushWanted,
    Status,
    Verdict,
)

PAUSE_MS = 1_000
LONGEST_PAUSE_MS = 30_000
MOVES_TO: dict[Verdict, Status] = {"ACKNOWLEDGED": "ACKNOWLEDGED", "REFUSED": "REFUSED", "TRANSIENT": "RETRYING"}


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


class Exchange(NamedTuple):
    """The state; version 0: no version has come. `held`: the platform holds the record, as far as its acknowledgements
    tell, by the push of number `held_version`. `nobodys`: it was linked, and is about nobody known now."""

    record_id: bytes
    version: int = 0
    item: str = ""
    action: Action = "put"
    status: Status = "UNKNOWN"
    attempt: int = 0
    held_version: int = 0
    held: bool = False
    link_no: int = 0
    nobodys: bool = False

    @property
    def number(self) -> int:
        """What the platform sees as the version of the last push; 0: nothing was pushed."""
        return self.version + self.link_no if self.version else 0


def decide(state: Exchange, given: Input) -> list[Event]:
    """What follows from a record, a change of its link, an answer or a timer."""
    if isinstance(given, RecordSeen):
        return _on_version(state, given)
    if isinstance(given, Relinked):
        return _on_relinked(state, given)
    if isinstance(given, Unlinked):
        return _on_unlinked(state, given)
    if isinstance(given, Answer):
        return _on_answer(state, given)
    if isinstance(given, RetryDue) and given.version == state.number and state.status == "RETRYING":
        return [PushDueAgain(state.version, state.item, state.attempt + 1, given.at_ms, state.link_no)]
    return []


def _on_version(state: Exchange, given: RecordSeen) -> list[Event]:
    """What is nobody's stays so, whatever version comes: when it is linked again, it is told again."""
    if given.version <= state.version:
        return []
    action: Action = "delete" if state.nobodys else given.action
    return [PushWanted(given.version, given.item, action, given.submission, given.at_ms, state.link_no, state.nobodys)]


def _on_relinked(state: Exchange, given: Relinked) -> list[Event]:
    """One that is older than what came already is passed over: that one will be told again, too."""
    seen = given.seen
    if given.link_no <= state.link_no:
        return _on_version(state, seen)
    if seen.version < state.version:
        return []
    return [PushWanted(seen.version, seen.item, seen.action, seen.submission, seen.at_ms, given.link_no)]


def _on_unlinked(state: Exchange, given: Unlinked) -> list[Event]:
    if given.link_no <= state.link_no:
        return []
    if not state.version:
        return [LinkNoted(given.link_no, True, given.at_ms)]
    return [PushWanted(state.version, state.item, "delete", b"", given.at_ms, given.link_no, True)]


def _on_answer(state: Exchange, given: Answer) -> list[Event]:
    if not 0 < given.version <= state.number:
        return []  # about nothing that was ever pushed
    moves_to = MOVES_TO[given.verdict] if _counts(state, given) else None
    retry_at_ms = given.at_ms + pause_ms(given.record_id, given.attempt) if moves_to == "RETRYING" else None
    return [
        Answered(
            given.version,
            state.item,
            given.attempt,
            given.action,
            given.verdict,
            given.code,
            given.text,
            given.at_ms,
            moves_to,
            retry_at_ms,
            state.link_no,
        )
    ]


def _counts(state: Exchange, given: Answer) -> bool:
    """A final answer counts while one is waited for; a failed attempt only while it is the current one."""
    if given.version != state.number:
        return False
    if given.verdict == "TRANSIENT":
        return state.status == "PENDING" and given.attempt == state.attempt
    return state.status in ("PENDING", "RETRYING")


def pause_ms(record_id: bytes, attempt: int) -> int:
    """Doubles up to a limit; a quarter more or less by record, so that a batch that failed does not return as one."""
    whole = min(PAUSE_MS << min(max(attempt, 1) - 1, 16), LONGEST_PAUSE_MS)
    return whole * (192 + (record_id[0] if record_id else 0) // 2) // 256


def evolve(state: Exchange, event: Event) -> Exchange:
    """Apply one event."""
    if isinstance(event, PushWanted):
        what = (event.version, event.item, event.action)
        held = (state.held_version, state.held)
        return Exchange(state.record_id, *what, "PENDING", 1, *held, event.link_no, event.nobodys)
    if isinstance(event, LinkNoted):
        return state._replace(link_no=event.link_no, nobodys=event.nobodys)
    if isinstance(event, PushDueAgain):
        return state._replace(status="PENDING", attempt=event.attempt)
    moved = state if event.moves_to is None else state._replace(status=event.moves_to)
    if event.verdict == "ACKNOWLEDGED" and event.version > state.held_version:
        return moved._replace(held_version=event.version, held=event.action == "put")
    return moved
