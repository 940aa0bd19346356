"""The aggregate: one record's exchange with the national platform."""

from __future__ import annotations

from typing import NamedTuple

from services.national_sync.domain.events import Action, Answered, Event, PushDueAgain, PushWanted, Status, Verdict

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


class Answer(NamedTuple):
    """What the gateway heard about one push."""

    record_id: bytes
    version: int
    attempt: int
    action: Action
    verdict: Verdict
    code: str
    text: str
    at_ms: int


class RetryDue(NamedTuple):
    """A timer: push this version again."""

    record_id: bytes
    version: int
    at_ms: int


class Irrelevant(NamedTuple):
    """A record of an item that the nation does not collect."""


Input = RecordSeen | Answer | RetryDue | Irrelevant


class Exchange(NamedTuple):
    """The state. `held`: the platform holds the record, as far as its acknowledgements tell, by `held_version`."""

    record_id: bytes
    version: int = 0
    item: str = ""
    action: Action = "put"
    status: Status = "UNKNOWN"
    attempt: int = 0
    held_version: int = 0
    held: bool = False


def decide(state: Exchange, given: Input) -> list[Event]:
    """What follows from a record, an answer or a timer."""
    if isinstance(given, RecordSeen):
        if given.version <= state.version:
            return []
        return [PushWanted(given.version, given.item, given.action, given.submission, given.at_ms)]
    if isinstance(given, Answer):
        return _on_answer(state, given)
    if isinstance(given, RetryDue) and given.version == state.version and state.status == "RETRYING":
        return [PushDueAgain(state.version, state.item, state.attempt + 1, given.at_ms)]
    return []


def _on_answer(state: Exchange, given: Answer) -> list[Event]:
    if not 0 < given.version <= state.version:
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
        )
    ]


def _counts(state: Exchange, given: Answer) -> bool:
    """A final answer counts while one is waited for; a failed attempt only while it is the current one."""
    if given.version != state.version:
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
        return Exchange(
            state.record_id, event.version, event.item, event.action, "PENDING", 1, state.held_version, state.held
        )
    if isinstance(event, PushDueAgain):
        return state._replace(status="PENDING", attempt=event.attempt)
    moved = state if event.moves_to is None else state._replace(status=event.moves_to)
    if event.verdict == "ACKNOWLEDGED" and event.version > state.held_version:
        return moved._replace(held_version=event.version, held=event.action == "put")
    return moved
