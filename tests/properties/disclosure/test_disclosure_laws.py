"""Laws of disclosure: whatever comes in whatever order, these hold."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.disclosure.domain.audit import Head, Looked, broken_at, digest, link
from services.disclosure.domain.events import Event, RecordChanged, RecordStands, Standing
from services.disclosure.domain.feed_changes import Seqs
from services.disclosure.domain.grouping import group
from services.disclosure.domain.inputs import RecordSeen
from services.disclosure.domain.subject_file import EMPTY, SubjectFile, decide, evolve, feeds_of
from services.disclosure.domain.terms import FEEDS, Feed
from tests.unit.disclosure.samples import JIA, YI, on, seen, shown, tell

SUBJECTS = [JIA, YI, b"subject of bing "]
RECORDS = [b"record %-9d" % n for n in range(3)]
Shelf = dict[tuple[bytes, bytes], Mapping[str, str]]  # (subject, record) -> fields, as somebody may see it

fields = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sampled_from(["1", "2"]), max_size=3)
disclosures = st.sampled_from(["public", "public", "public", "government", "authorised"])
kinds = st.sampled_from(["org", "org", "sole_trader", "person"])


def version_of(
    version: int, record_id: bytes, subject_id: bytes, action: str, disclosure: str, kind: str, content: dict[str, str]
) -> RecordSeen:
    """A version as the reader leaves it."""
    feeds = feeds_of(disclosure, kind)
    return seen(version, record_id=record_id, subject_id=subject_id, action=action, feeds=feeds, fields=content)


def waiting_of(version: int, record_id: bytes) -> RecordSeen:
    """A version of which it is not known yet what may be shown."""
    return RecordSeen(record_id, version, JIA, "correct", FEEDS, None, 0)


numbers, record_ids = st.integers(1, 5), st.sampled_from(RECORDS)
actions = st.sampled_from(["report", "correct", "correct", "withdraw"])
versions = st.builds(version_of, numbers, record_ids, st.sampled_from(SUBJECTS), actions, disclosures, kinds, fields)
waiting = st.builds(waiting_of, numbers, record_ids)
histories = st.lists(st.one_of(versions, versions, versions, waiting), max_size=16)
feeds = pytest.mark.parametrize("feed", FEEDS)


def standing(file: SubjectFile, feed: Feed) -> Shelf:
    """The read model: what this feed's readers may see."""
    return {
        (found.subject_id, record_id): content.fields
        for record_id, found in file.records.items()
        if (content := found.on(feed)) is not None
    }


def folded(changes: Iterable[RecordChanged]) -> Shelf:
    """What a subscriber has who keeps `after` and drops what is withdrawn; it fails where the feed makes no sense."""
    shelf: Shelf = {}
    for change in changes:
        place = change.subject_id, change.record_id
        assert shelf.get(place) == change.before
        if change.after is None:
            assert change.change == "WITHDRAWN"
            del shelf[place]
        else:
            assert change.change == ("ADDED" if place not in shelf else "CORRECTED")
            shelf[place] = change.after
    return shelf


@feeds
@given(history=histories)
def test_the_feed_folded_is_the_read_model(feed: Feed, history: list[RecordSeen]) -> None:
    file, said = tell(*history)
    assert folded(on(feed, said)) == standing(file, feed)


@feeds
@given(history=histories)
def test_subject_seq_counts_each_subject_without_gaps(feed: Feed, history: list[RecordSeen]) -> None:
    file, said = tell(*history)
    counted: dict[bytes, list[int]] = defaultdict(list)
    for change in on(feed, said):
        counted[change.subject_id].append(change.subject_seq)
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in counted.values())
    last = {subject_id: seqs[FEEDS.index(feed)] for subject_id, seqs in file.counts.items()}
    assert {s: seqs[-1] for s, seqs in counted.items()} == {s: n for s, n in last.items() if n}


@given(histories)
def test_replay_of_the_events_is_the_state(history: list[RecordSeen]) -> None:
    file, said = tell(*history)
    assert reduce(evolve, said, EMPTY) == file


@given(histories, st.data())
def test_a_repeat_or_an_older_version_changes_nothing(history: list[RecordSeen], data: st.DataObject) -> None:
    file, _ = tell(*history)
    stood = {record_id: found.version for record_id, found in file.records.items()}
    for old in [one for one in history if one.version <= stood.get(one.record_id, 0)]:
        assert decide(file, old) == ()
    again = data.draw(versions)
    if again.version <= stood.get(again.record_id, 0):
        assert decide(file, again) == ()


@given(histories, histories)
def test_nothing_follows_a_withdrawal(history: list[RecordSeen], later: list[RecordSeen]) -> None:
    file, _ = tell(*history)
    gone = {record_id for record_id, found in file.records.items() if found.withdrawn}
    _, said = tell(*(one for one in later if one.record_id in gone), file=file)
    assert said == []


@given(histories)
def test_the_public_sees_a_part_of_what_the_government_sees(history: list[RecordSeen]) -> None:
    file = EMPTY
    for one in history:
        file, _ = tell(one, file=file)
        assert standing(file, "public").items() <= standing(file, "government").items()


@given(histories)
def test_what_is_withdrawn_is_shown_to_nobody(history: list[RecordSeen]) -> None:
    """And of what is not shown no content is kept."""
    last = [seen(9, record_id=record_id, action="withdraw") for record_id in RECORDS]
    file, said = tell(*history, *last)
    for feed in FEEDS:
        assert folded(on(feed, said)) == standing(file, feed) == {}
    assert all(found.withdrawn and found.shown is None for found in file.records.values())


@given(histories)
def test_every_version_is_said_at_most_once_on_a_feed_and_subject(history: list[RecordSeen]) -> None:
    _, said = tell(*history)
    told = [(e.feed, e.subject_id, e.record_id, e.version) for e in said if isinstance(e, RecordChanged)]
    assert len(told) == len(set(told))


@given(histories)
def test_reasons_are_given_of_withdrawals_and_differences_of_corrections(history: list[RecordSeen]) -> None:
    _, said = tell(*history)
    for event in said:
        if isinstance(event, RecordChanged):
            assert (event.reason is not None) == (event.change == "WITHDRAWN")
            assert (event.before is None, event.after is None) == (event.change == "ADDED", event.change == "WITHDRAWN")
            both = {**(event.before or {}), **(event.after or {})} if event.change == "CORRECTED" else {}
            differ = {c for c in both if (event.before or {}).get(c) != (event.after or {}).get(c)}
            assert set(event.fields_changed) == differ


@given(st.lists(versions, max_size=16))
def test_a_person_is_never_told_to_the_public(history: list[RecordSeen]) -> None:
    """Whatever the item says of a person, the public feed has no line that adds or shows it."""
    people = [seen(one.version, record_id=one.record_id, feeds=feeds_of("public", "person")) for one in history]
    assert on("public", tell(*people)[1]) == []


@given(st.permutations(range(1, 6)), st.lists(fields, min_size=5, max_size=5))
def test_the_newest_version_stands_in_whatever_order_versions_come(
    order: list[int], contents: list[dict[str, str]]
) -> None:
    file, _ = tell(*(seen(version, fields=contents[version - 1]) for version in order))
    (found,) = file.records.values()
    assert (found.version, found.shown) == (5, shown(**contents[4]))


Stored = tuple[dict[bytes, Standing], dict[bytes, Seqs]]


def in_batches(batches: Sequence[Sequence[RecordSeen]]) -> tuple[Stored, list[Event]]:
    """As the service does it: each batch loads what it names, in groups, and saves what has come of it."""
    standings: dict[bytes, Standing] = {}
    counts: dict[bytes, Seqs] = {}
    said: list[Event] = []
    for batch in batches:
        named = {one.record_id: standings[one.record_id] for one in batch if one.record_id in standings}
        pairs = [(one.record_id, one.subject_id) for one in batch]
        pairs += [(record_id, found.subject_id) for record_id, found in named.items()]
        keys, files = group(pairs, named, counts)
        for one in batch:
            files[keys[one.subject_id]], events = tell(one, file=files[keys[one.subject_id]])
            said += events
        for file in files.values():
            standings.update(file.records)
            counts.update(file.counts)
    return (standings, counts), said


@given(histories, st.lists(st.integers(1, 4), max_size=16))
def test_batches_cut_anywhere_tell_what_one_file_tells(history: list[RecordSeen], sizes: list[int]) -> None:
    rest, batches = list(history), list[list[RecordSeen]]()
    for size in [*sizes, len(history)]:
        batches.append(rest[:size])
        rest = rest[size:]
    file, said = tell(*history)
    stored, told = in_batches([batch for batch in batches if batch])
    assert told == said
    assert stored == (file.records, file.counts)


@given(histories)
def test_every_newer_version_stands_or_waits(history: list[RecordSeen]) -> None:
    """No version that is newer than what stands is passed over in silence."""
    file = EMPTY
    for one in history:
        old = file.records.get(one.record_id)
        news = old is None or (one.version > old.version and not old.withdrawn)
        waits = one.shown is None and bool(one.feeds) and not one.withdraws
        file, said = tell(one, file=file)
        assert len([e for e in said if isinstance(e, RecordStands)]) == (news and not waits)
        assert bool(said) == news


looks = st.lists(
    st.builds(
        Looked,
        at_ms=st.integers(0, 9),
        caller=st.sampled_from(["甲", "乙"]),
        channel=st.sampled_from(FEEDS),
        purpose=st.sampled_from(["p", '"],["']),
        method=st.just("GetSubject"),
        subject_id=st.sampled_from([None, *SUBJECTS]),
        outcome=st.just("ANSWERED"),
    ),
    min_size=1,
    max_size=8,
)


@given(looks, looks, st.data())
def test_a_chain_holds_until_a_row_is_changed_or_left_out(
    first: list[Looked], later: list[Looked], data: st.DataObject
) -> None:
    rows = link("c", Head(), first)
    rows += link("c", Head(rows[-1].seq, rows[-1].hash), later)
    assert rows == link("c", Head(), [*first, *later])
    assert broken_at(rows) is None
    at = data.draw(st.integers(0, len(rows) - 1))
    other = data.draw(looks)[0]
    if other != rows[at].looked:
        assert broken_at([*rows[:at], rows[at]._replace(looked=other), *rows[at + 1 :]]) == at + 1
    if at < len(rows) - 1:
        assert broken_at([*rows[:at], *rows[at + 1 :]]) == at + 2


@given(st.text(), st.text(), st.text(), st.integers(0, 2**60), st.sampled_from([None, *SUBJECTS]))
def test_the_hash_of_a_look_is_of_the_published_form(
    chain: str, caller: str, purpose: str, at_ms: int, subject_id: bytes | None
) -> None:
    looked = Looked(at_ms, caller, "public", purpose, "GetSubject", subject_id, "ANSWERED")
    subject = subject_id.hex() if subject_id is not None else None
    row = [chain, 7, bytes(32).hex(), at_ms, caller, "public", purpose, "GetSubject", subject, "ANSWERED"]
    published = json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode()
    assert digest(chain, 7, bytes(32), looked) == hashlib.sha256(published).digest()
