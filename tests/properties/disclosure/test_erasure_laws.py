"""An erasure among records, heard in any order and cut into batches anywhere: nothing of the person is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.disclosure.domain.events import Event, RecordChanged, Standing
from services.disclosure.domain.feed_changes import Seqs
from services.disclosure.domain.grouping import group
from services.disclosure.domain.inputs import Input, RecordSeen, SubjectErased
from services.disclosure.domain.terms import FEEDS
from tests.properties.disclosure.test_disclosure_laws import SUBJECTS, standing, versions, waiting
from tests.unit.disclosure.samples import AT_MS, JIA, on, tell

ERASED = SubjectErased(JIA, AT_MS)
histories = st.lists(versions, max_size=16)
with_waiting = st.lists(st.one_of(versions, versions, waiting), max_size=16)
places = st.lists(st.integers(0, 16), min_size=1, max_size=3)


def among(history: Sequence[RecordSeen], at: Sequence[int]) -> list[Input]:
    """The erasure, told once or more, between the records of another topic."""
    told: list[Input] = [*history]
    for place in at:
        told.insert(place, ERASED)
    return told


@given(with_waiting, places)
def test_nothing_of_an_erased_person_is_shown_whatever_comes_when(history: list[RecordSeen], at: list[int]) -> None:
    file, said = tell(*among(history, at))
    assert not [one for one in file.records.values() if one.subject_id == JIA and one.shown is not None]
    for feed in FEEDS:
        there: set[bytes] = set()
        numbers = defaultdict[bytes, list[int]](list)
        for change in on(feed, said):
            numbers[change.subject_id].append(change.subject_seq)
            if change.subject_id == JIA:
                (there.discard if change.change == "WITHDRAWN" else there.add)(change.record_id)
        assert there == set()
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


@given(with_waiting, places)
def test_what_is_told_because_of_it_says_nothing_of_what_it_was(history: list[RecordSeen], at: list[int]) -> None:
    for event in tell(*among(history, at))[1]:
        if isinstance(event, RecordChanged) and event.reason == "SUBJECT_ERASED":
            assert (event.change, event.subject_id, event.before, event.after) == ("WITHDRAWN", JIA, None, None)
            assert (event.shown.item, event.shown.agency, event.shown.fields) == ("", "", {})


@given(histories, places)
def test_for_everybody_else_nothing_changes(history: list[RecordSeen], at: list[int]) -> None:
    (file, said), (as_ever, told) = tell(*among(history, at)), tell(*history)
    others = [s for s in SUBJECTS if s != JIA]
    for feed in FEEDS:
        mine, theirs = ({k: v for k, v in standing(f, feed).items() if k[0] != JIA} for f in (file, as_ever))
        assert mine == theirs
        assert [c for c in on(feed, said) if c.subject_id != JIA] == [c for c in on(feed, told) if c.subject_id != JIA]
    assert {s: file.counts.get(s) for s in others} == {s: as_ever.counts.get(s) for s in others}
    assert {i: one.version for i, one in file.records.items()} == {i: one.version for i, one in as_ever.records.items()}


Stored = tuple[dict[bytes, Standing], dict[bytes, Seqs], set[bytes]]


def in_batches(batches: Sequence[Sequence[Input]]) -> tuple[Stored, list[Event]]:
    """As the service does it; a batch that erases somebody loads all that is shown of them."""
    standings, counts, erased = dict[bytes, Standing](), dict[bytes, Seqs](), set[bytes]()
    said: list[Event] = []
    for batch in batches:
        ends = {one.subject_id for one in batch if isinstance(one, SubjectErased)}
        seen = [one for one in batch if not isinstance(one, SubjectErased)]
        named = {one.record_id: standings[one.record_id] for one in seen if one.record_id in standings}
        named |= {i: one for i, one in standings.items() if one.subject_id in ends and one.shown is not None}
        pairs = [(one.record_id, one.subject_id) for one in seen]
        pairs += [(record_id, found.subject_id) for record_id, found in named.items()]
        known = {s for _, s in pairs} | ends
        keys, files = group(pairs, named, counts, erased & known, ends)
        for one in batch:
            files[keys[one.subject_id]], events = tell(one, file=files[keys[one.subject_id]])
            said += events
        for file in files.values():
            standings.update(file.records)
            counts.update(file.counts)
            erased |= file.erased
    return (standings, counts, erased), said


@given(with_waiting, places, st.lists(st.integers(1, 4), max_size=16))
def test_batches_cut_anywhere_tell_what_one_file_tells(
    history: list[RecordSeen], at: list[int], sizes: list[int]
) -> None:
    rest, batches = among(history, at), list[list[Input]]()
    file, said = tell(*rest)
    for size in [*sizes, len(rest)]:
        batches.append(rest[:size])
        rest = rest[size:]
    stored, told = in_batches([batch for batch in batches if batch])
    assert told == said
    assert stored == (file.records, file.counts, set(file.erased))
