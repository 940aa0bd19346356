"""What is shown of subjects, and which changes that makes on the two feeds.

A file is usually of one subject. A correction may say that a record is another subject's, or identity may move it; then
both subjects change together, each on its own count, so subjects that share a record of the batch are decided as one
file.

Versions of a record and changes of its link come in different lanes, in any order. Both are counted, and each count
only rises: the highest version says what the record says, the highest link number whose it is.

Of who was erased nothing is shown, whatever comes: what stood is withdrawn and told without saying again what it was,
and what comes later, from a lane that was behind, stands without being shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from services.disclosure.domain.events import (
    BLANK,
    Event,
    FileErased,
    RecordChanged,
    RecordStands,
    RecordWaits,
    Shown,
    Standing,
)
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


class Relinked(NamedTuple):
    """A version told again with the number of the link by which it is its subject's."""

    seen: RecordSeen
    link_no: int

    @property
    def record_id(self) -> bytes:
        """Which record."""
        return self.seen.record_id

    @property
    def subject_id(self) -> bytes:
        """Whose it is."""
        return self.seen.subject_id


class LinkMoved(NamedTuple):
    """A record is another subject's; not `linked`: nobody's who is known. What it says stands."""

    record_id: bytes
    link_no: int
    subject_id: bytes
    linked: bool
    at_ms: int


class SubjectErased(NamedTuple):
    """A person was erased: what is known of the subject is to be shown no more."""

    subject_id: bytes
    at_ms: int


Input = RecordSeen | Relinked | LinkMoved | SubjectErased
Seqs = tuple[int, int]  # the last `subject_seq` on each feed, in the order of FEEDS
UNTOLD: Seqs = (0, 0)


class SubjectFile(NamedTuple):
    """How far the counts of each subject are, and of the records only those that the batch names.

    Of a subject that is erased in this batch all that are shown are here.
    """

    counts: Mapping[bytes, Seqs]
    records: Mapping[bytes, Standing]
    erased: frozenset[bytes] = frozenset()


EMPTY = SubjectFile({}, {})


def feeds_of(disclosure: str, subject_kind: str) -> tuple[Feed, ...]:
    """Who may have it: 公开公示 both feeds, 政务共享 the government's, all else none; a person is never public."""
    if disclosure == "public":
        return FEEDS if subject_kind != "person" else ("government",)
    return ("government",) if disclosure == "government" else ()


def decide(state: SubjectFile, given: Input) -> Sequence[Event]:
    """A version that is not newer than what stands, or comes after the withdrawal, states nothing new."""
    if isinstance(given, SubjectErased):
        return () if given.subject_id in state.erased else tuple(_erased(state, given))
    old = state.records.get(given.record_id) or Standing(given.record_id, 0, given.subject_id)
    if old.withdrawn:
        return ()
    if isinstance(given, LinkMoved):
        return _moved(state, old, given)
    if isinstance(given, Relinked):
        return _stands(state, old, *given) if given.link_no > old.link_no else _said(state, old, given.seen)
    return _said(state, old, given)


def _said(state: SubjectFile, old: Standing, given: RecordSeen) -> Sequence[Event]:
    """What a version says; whose it is only where no change of the link has said so. What is nobody's is told again."""
    if given.version <= old.version or old.nobodys:
        return ()
    if old.link_no:
        given = given._replace(subject_id=old.subject_id)
    return _stands(state, old, given, old.link_no)


def _stands(state: SubjectFile, old: Standing, given: RecordSeen, link_no: int) -> Sequence[Event]:
    record_id, version, subject_id, _, feeds, shown, at_ms = given
    if version < old.version:  # told again, but a newer one is here already: only whose it is counts
        return _moved(state, old, LinkMoved(record_id, link_no, subject_id, True, at_ms))
    if given.withdraws:
        new = Standing(record_id, version, old.subject_id, withdrawn=True, link_no=link_no)
    elif subject_id in state.erased:
        new = Standing(record_id, version, subject_id, link_no=link_no)
    elif feeds and shown is None:
        return (RecordWaits(record_id, version, at_ms + LOOK_AGAIN_MS),)
    else:
        new = Standing(record_id, version, subject_id, feeds, False, shown if feeds else None, link_no)
    return _step(state, old, new, at_ms)


def _moved(state: SubjectFile, old: Standing, given: LinkMoved) -> Sequence[Event]:
    """It keeps what it says. Of what was nobody's that is gone: any version that comes may say it again."""
    if given.link_no <= old.link_no:
        return ()
    if not given.linked:
        new = Standing(given.record_id, old.version, old.subject_id, link_no=given.link_no, nobodys=True)
    else:
        version = 0 if old.nobodys else old.version
        new = old._replace(subject_id=given.subject_id, version=version, link_no=given.link_no, nobodys=False)
        if given.subject_id in state.erased:
            new = new._replace(feeds=(), shown=None)
    return _step(state, old, new, given.at_ms)


def _erased(state: SubjectFile, given: SubjectErased) -> Iterator[Event]:
    """Record by record, each with the next number; then nothing more of this subject."""
    shown = [one for one in state.records.values() if one.subject_id == given.subject_id and one.shown is not None]
    for one in sorted(shown, key=lambda one: one.record_id):
        gone = [_gone(state, feed, one, given.at_ms) for feed in FEEDS if one.on(feed) is not None]
        state = reduce(evolve, gone, state)
        yield from (*gone, RecordStands(one._replace(feeds=(), shown=None), given.at_ms))
    yield FileErased(given.subject_id, given.at_ms)


def _gone(state: SubjectFile, feed: Feed, standing: Standing, at_ms: int) -> RecordChanged:
    """Which record it is and nothing of what it was: that would be said anew of somebody who was erased."""
    gone = _change(state, feed, "WITHDRAWN", standing, BLANK, None, "SUBJECT_ERASED", at_ms)
    return gone._replace(before=None)


def _step(state: SubjectFile, old: Standing, new: Standing, at_ms: int) -> Sequence[Event]:
    if old.version == new.version and old.subject_id == new.subject_id and old.nobodys == new.nobodys:
        return (RecordStands(new, at_ms),)  # only the number of its link has risen
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
    counts, records, erased = state
    if isinstance(event, RecordChanged):
        public, government = counts.get(event.subject_id, UNTOLD)
        seqs = (event.subject_seq, government) if event.feed == "public" else (public, event.subject_seq)
        return SubjectFile({**counts, event.subject_id: seqs}, records, erased)
    if isinstance(event, RecordStands):
        return SubjectFile(counts, {**records, event.standing.record_id: event.standing}, erased)
    if isinstance(event, FileErased):
        return SubjectFile(counts, records, erased | {event.subject_id})
    return state
