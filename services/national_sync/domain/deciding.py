"""What follows for an exchange from a record, a change of its link, an answer or a timer."""

from __future__ import annotations

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
from services.national_sync.domain.exchange import Exchange
from services.national_sync.domain.inputs import Answer, Input, RecordSeen, Relinked, RetryDue, Unlinked

PAUSE_MS = 1_000
LONGEST_PAUSE_MS = 30_000
MOVES_TO: dict[Verdict, Status] = {"ACKNOWLEDGED": "ACKNOWLEDGED", "REFUSED": "REFUSED", "TRANSIENT": "RETRYING"}


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
