"""A record of an agency: reported once, corrected in order, withdrawn once; told apart by (agency, item, record_no)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from services.ingestion.domain.events import RecordAccepted, RecordEvent, SubmissionDuplicate, SubmissionRefused
from services.ingestion.domain.faults import fault
from services.ingestion.domain.submission import Submission

SEEN = 8  # submissions remembered per record; an older one sent again is judged by content and produced_at
DIGEST = 8  # bytes of a submission id's hash


class Record(NamedTuple):
    """What must be remembered of a record to judge the next submission about it."""

    version: int = 0
    content: bytes = b""
    produced_at: int = 0
    withdrawn: bool = False
    seen: bytes = b""  # the digests of the last submissions, one after the other

    def knows(self, digest: bytes) -> bool:
        """Whether this submission was answered before."""
        return any(self.seen[at : at + DIGEST] == digest for at in range(0, len(self.seen), DIGEST))


UNKNOWN = Record()


def decide(state: Record, given: Submission) -> Sequence[RecordEvent]:
    """One event for every submission: accepted, duplicate or refused."""
    if given.faults:
        return (SubmissionRefused(given.faults),)
    if state.version and state.knows(given.digest):
        return (SubmissionDuplicate(given.digest),)
    if given.action == "report":
        return (_report(state, given),)
    return (_change(state, given),)


def _report(state: Record, given: Submission) -> RecordEvent:
    if not state.version:
        return _accepted(state, given)
    if state.withdrawn:
        return _refused("ALREADY_WITHDRAWN", state, given)
    if state.content == given.content:
        return SubmissionDuplicate(given.digest)
    return _refused("RECORD_NO_REUSED", state, given)


def _change(state: Record, given: Submission) -> RecordEvent:
    if not state.version:
        return _refused("RECORD_UNKNOWN", state, given)
    if state.withdrawn:
        return _refused("ALREADY_WITHDRAWN", state, given)
    if given.action == "correct":
        if state.content == given.content:
            return SubmissionDuplicate(given.digest)
        if given.produced_at < state.produced_at:
            return _refused("CORRECTION_STALE", state, given, "produced_at")
    return _accepted(state, given)


def _refused(code: str, state: Record, given: Submission, field: str = "record_no") -> SubmissionRefused:
    """What stands is the sender's own word, so it may be told of it: which version, and what was to become of it."""
    return SubmissionRefused((fault(code, field, received=f"action={given.action} standing_version={state.version}"),))


def _accepted(state: Record, given: Submission) -> RecordAccepted:
    return RecordAccepted(
        state.version + 1,
        given.action,
        given.content,
        given.produced_at,
        given.digest,
        given.origin.now,
        given.item_version,
        given.schema_id,
        given.record_id,
        given.value,
    )


def evolve(state: Record, event: RecordEvent) -> Record:
    """The state after an event; a refusal changes nothing."""
    if isinstance(event, RecordAccepted):
        withdrawn = event.action == "withdraw"
        produced_at = max(event.produced_at, state.produced_at)
        return Record(event.version, event.content, produced_at, withdrawn, _remember(state.seen, event.digest))
    if isinstance(event, SubmissionDuplicate) and state.version and not state.knows(event.digest):
        return state._replace(seen=_remember(state.seen, event.digest))
    return state


def _remember(seen: bytes, digest: bytes) -> bytes:
    return (seen + digest)[-SEEN * DIGEST :]
