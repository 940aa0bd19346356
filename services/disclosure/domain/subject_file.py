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

from services.disclosure.domain.events import Event, FileErased, RecordChanged, RecordStands, RecordWaits, Standing
from services.disclosure.domain.feed_changes import UNTOLD, Counts, step, withdrawn_of_erased
from services.disclosure.domain.inputs import Input, LinkMoved, RecordSeen, Relinked, SubjectErased
from services.disclosure.domain.terms import FEEDS, Feed

LOOK_AGAIN_MS = 1000


class SubjectFile(NamedTuple):
    """How far the counts of each subject are, and of the records only those that the batch names.

    Of a subject that is erased in this batch all that are shown are here.
    """

    counts: Counts
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
    return step(state.counts, old, new, at_ms)


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
    return step(state.counts, old, new, given.at_ms)


def _erased(state: SubjectFile, given: SubjectErased) -> Iterator[Event]:
    """Record by record, each with the next number; then nothing more of this subject."""
    shown = [one for one in state.records.values() if one.subject_id == given.subject_id and one.shown is not None]
    for one in sorted(shown, key=lambda one: one.record_id):
        gone = [withdrawn_of_erased(state.counts, feed, one, given.at_ms) for feed in FEEDS if one.on(feed) is not None]
        state = reduce(evolve, gone, state)
        yield from (*gone, RecordStands(one._replace(feeds=(), shown=None), given.at_ms))
    yield FileErased(given.subject_id, given.at_ms)


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
