"""What is shown of subjects, and which changes that makes on the two feeds.

A file is usually of one subject. A correction may say that a record is another subject's; then both subjects change
together, each on its own count, so subjects that share a record of the batch are decided as one file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.disclosure.domain.events import Event, RecordChanged, RecordStands, RecordWaits, Shown, Standing
from services.disclosure.domain.terms import FEEDS, Change, Feed, Reason

LOOK_AGAIN_MS = 1000


class RecordSeen(NamedTuple):
    """A linked version of a record; `shown` is None while it is unknown what may be shown of it."""

    record_id: bytes
    version: int
    subject_id: bytes
    action: str
    feeds: tuple[Feed, ...]
    shown: Shown | None
    at_ms: int

    @property
    def withdraws(self) -> bool:
        """Whether this version takes the record back."""
        return self.action == "withdraw"


Seqs = tuple[int, int]  # the last `subject_seq` on each feed, in the order of FEEDS
UNTOLD: Seqs = (0, 0)


class SubjectFile(NamedTuple):
    """How far the counts of each subject are, and of the records only those that the batch names."""

    counts: Mapping[bytes, Seqs]
    records: Mapping[bytes, Standing]


EMPTY = SubjectFile({}, {})


def feeds_of(disclosure: str, subject_kind: str) -> tuple[Feed, ...]:
    """Who may have it: 公开公示 both feeds, 政务共享 the government's, all else none; a person is never public."""
    if disclosure == "public":
        return FEEDS if subject_kind != "person" else ("government",)
    return ("government",) if disclosure == "government" else ()


def decide(state: SubjectFile, given: RecordSeen) -> Sequence[Event]:
    """A version that is not newer than what stands, or comes after the withdrawal, states nothing new."""
    record_id, version, subject_id, _, feeds, shown, at_ms = given
    old = state.records.get(record_id) or Standing(record_id, 0, subject_id)
    if version <= old.version or old.withdrawn:
        return ()
    if given.withdraws:
        new = Standing(record_id, version, old.subject_id, withdrawn=True)
    elif feeds and shown is None:
        return (RecordWaits(record_id, version, at_ms + LOOK_AGAIN_MS),)
    else:
        new = Standing(record_id, version, subject_id, feeds, False, shown if feeds else None)
    changes = [change for feed in FEEDS for change in _changes(state, feed, old, new, at_ms)]
    return (*changes, RecordStands(new, at_ms))


def _changes(state: SubjectFile, feed: Feed, old: Standing, new: Standing, at_ms: int) -> Sequence[RecordChanged]:
    """What one feed has to say of the step from `old` to `new`; of each subject at most one thing."""
    before, after = old.on(feed), new.on(feed)
    if before is None:
        return () if after is None else (_change(state, feed, "ADDED", new, None, after, None, at_ms),)
    if after is not None and old.subject_id == new.subject_id:
        return (_change(state, feed, "CORRECTED", new, before, after, None, at_ms),)
    gone = _change(state, feed, "WITHDRAWN", old._replace(version=new.version), before, None, _why(old, new), at_ms)
    return (gone,) if after is None else (gone, _change(state, feed, "ADDED", new, None, after, None, at_ms))


def _why(old: Standing, new: Standing) -> Reason:
    if new.withdrawn:
        return "BY_AGENCY"
    return "SUBJECT_CORRECTED" if new.subject_id != old.subject_id else "NO_LONGER_SHARED"


def _change(
    state: SubjectFile,
    feed: Feed,
    change: Change,
    standing: Standing,
    before: Shown | None,
    after: Shown | None,
    reason: Reason | None,
    at_ms: int,
) -> RecordChanged:
    was, is_now = before.fields if before else None, after.fields if after else None
    about = after or before
    assert about is not None
    return RecordChanged(
        feed,
        standing.subject_id,
        state.counts.get(standing.subject_id, UNTOLD)[FEEDS.index(feed)] + 1,
        change,
        standing.record_id,
        standing.version,
        about,
        () if was is None or is_now is None else differing(was, is_now),
        was,
        is_now,
        reason,
        at_ms,
    )


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """The fields in which the two differ, sorted."""
    return tuple(sorted(code for code in before.keys() | after.keys() if before.get(code) != after.get(code)))


def evolve(state: SubjectFile, event: Event) -> SubjectFile:
    """The state after an event."""
    counts, records = state
    if isinstance(event, RecordChanged):
        public, government = counts.get(event.subject_id, UNTOLD)
        seqs = (event.subject_seq, government) if event.feed == "public" else (public, event.subject_seq)
        return SubjectFile({**counts, event.subject_id: seqs}, records)
    if isinstance(event, RecordStands):
        return SubjectFile(counts, {**records, event.standing.record_id: event.standing})
    return state
