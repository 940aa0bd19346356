"""What the two feeds have to say of a step of a record, each with the next number of its subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.disclosure.domain.events import BLANK, Event, RecordChanged, RecordStands, Shown, Standing
from services.disclosure.domain.terms import FEEDS, Change, Feed, Reason

Seqs = tuple[int, int]  # the last `subject_seq` on each feed, in the order of FEEDS
UNTOLD: Seqs = (0, 0)
Counts = Mapping[bytes, Seqs]  # by subject id


def step(counts: Counts, old: Standing, new: Standing, at_ms: int) -> Sequence[Event]:
    """What the feeds have to say of a record that stands anew, and that it does."""
    if old.version == new.version and old.subject_id == new.subject_id and old.nobodys == new.nobodys:
        return (RecordStands(new, at_ms),)  # only the number of its link has risen
    changes = [change for feed in FEEDS for change in _changes(counts, feed, old, new, at_ms)]
    return (*changes, RecordStands(new, at_ms))


def withdrawn_of_erased(counts: Counts, feed: Feed, standing: Standing, at_ms: int) -> RecordChanged:
    """Which record it is and nothing of what it was: that would be said anew of somebody who was erased."""
    gone = _change(counts, feed, "WITHDRAWN", standing, BLANK, None, "SUBJECT_ERASED", at_ms)
    return gone._replace(before=None)


def _changes(counts: Counts, feed: Feed, old: Standing, new: Standing, at_ms: int) -> Sequence[RecordChanged]:
    """What one feed has to say of the step from `old` to `new`; of each subject at most one thing."""
    before, after = old.on(feed), new.on(feed)
    if before is None:
        return () if after is None else (_change(counts, feed, "ADDED", new, None, after, None, at_ms),)
    if after is not None and old.subject_id == new.subject_id:
        return (_change(counts, feed, "CORRECTED", new, before, after, None, at_ms),)
    gone = _change(counts, feed, "WITHDRAWN", old._replace(version=new.version), before, None, _why(old, new), at_ms)
    return (gone,) if after is None else (gone, _change(counts, feed, "ADDED", new, None, after, None, at_ms))


def _why(old: Standing, new: Standing) -> Reason:
    if new.withdrawn:
        return "BY_AGENCY"
    return "SUBJECT_CORRECTED" if new.subject_id != old.subject_id else "NO_LONGER_SHARED"


def _change(
    counts: Counts,
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
        counts.get(standing.subject_id, UNTOLD)[FEEDS.index(feed)] + 1,
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
