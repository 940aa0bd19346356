"""Which changes a version of a record makes on the two feeds."""

from __future__ import annotations

import pytest

from services.disclosure.domain.events import Event, RecordChanged, RecordStands, RecordWaits, Standing
from services.disclosure.domain.grouping import group
from services.disclosure.domain.inputs import RecordSeen
from services.disclosure.domain.subject_file import EMPTY, LOOK_AGAIN_MS, SubjectFile, feeds_of
from services.disclosure.domain.terms import FEEDS, Feed
from tests.unit.disclosure.samples import AT_MS, JIA, RECORD, YI, on, seen, shown, tell

GOVERNMENT: tuple[Feed, ...] = ("government",)


@pytest.mark.parametrize(
    ("disclosure", "kind", "feeds"),
    [
        ("public", "org", FEEDS),
        ("public", "sole_trader", FEEDS),
        ("public", "person", GOVERNMENT),
        ("government", "org", GOVERNMENT),
        ("government", "person", GOVERNMENT),
        ("authorised", "org", ()),
        ("authorised", "person", ()),
        ("", "org", ()),
        ("PUBLIC", "org", ()),
        ("something newer", "org", ()),
    ],
)
def test_who_may_have_it(disclosure: str, kind: str, feeds: tuple[Feed, ...]) -> None:
    """A person is never public, and what is not understood is shown to nobody."""
    assert feeds_of(disclosure, kind) == feeds


def line(event: RecordChanged) -> tuple[object, ...]:
    return event.feed, event.change, event.subject_id, event.subject_seq, event.version, event.reason


def lines(events: list[Event]) -> list[tuple[object, ...]]:
    return [line(event) for event in events if isinstance(event, RecordChanged)]


TABLE: dict[str, tuple[list[RecordSeen], RecordSeen, list[tuple[object, ...]]]] = {
    "a report is added to both feeds": (
        [],
        seen(),
        [("public", "ADDED", JIA, 1, 1, None), ("government", "ADDED", JIA, 1, 1, None)],
    ),
    "what is shared only is the government's": (
        [],
        seen(feeds=GOVERNMENT),
        [("government", "ADDED", JIA, 1, 1, None)],
    ),
    "what is for nobody is told to nobody": ([], seen(feeds=()), []),
    "a correction": (
        [seen()],
        seen(2, action="correct", fields={"XK_NR": "另一内容"}),
        [("public", "CORRECTED", JIA, 2, 2, None), ("government", "CORRECTED", JIA, 2, 2, None)],
    ),
    "a withdrawal is an event of its own": (
        [seen()],
        seen(2, action="withdraw"),
        [("public", "WITHDRAWN", JIA, 2, 2, "BY_AGENCY"), ("government", "WITHDRAWN", JIA, 2, 2, "BY_AGENCY")],
    ),
    "a withdrawal that calls its subject otherwise takes the record from whom it stands with": (
        [seen(feeds=GOVERNMENT)],
        seen(2, action="withdraw", subject_id=YI),
        [("government", "WITHDRAWN", JIA, 2, 2, "BY_AGENCY")],
    ),
    "the withdrawal of what nobody was shown": ([seen(feeds=())], seen(2, action="withdraw"), []),
    "a withdrawal that comes first": ([], seen(2, action="withdraw"), []),
    "a correction to another subject moves the record": (
        [seen(feeds=GOVERNMENT), seen(record_id=b"another of jia's", feeds=GOVERNMENT)],
        seen(2, action="correct", subject_id=YI, feeds=GOVERNMENT),
        [
            ("government", "WITHDRAWN", JIA, 3, 2, "SUBJECT_CORRECTED"),
            ("government", "ADDED", YI, 1, 2, None),
        ],
    ),
    "no longer public": (
        [seen()],
        seen(2, action="correct", feeds=GOVERNMENT),
        [("public", "WITHDRAWN", JIA, 2, 2, "NO_LONGER_SHARED"), ("government", "CORRECTED", JIA, 2, 2, None)],
    ),
    "no longer shared with anybody": (
        [seen(feeds=GOVERNMENT)],
        seen(2, action="correct", feeds=()),
        [("government", "WITHDRAWN", JIA, 2, 2, "NO_LONGER_SHARED")],
    ),
    "public from now on": (
        [seen(feeds=GOVERNMENT)],
        seen(2, action="correct"),
        [("public", "ADDED", JIA, 1, 2, None), ("government", "CORRECTED", JIA, 2, 2, None)],
    ),
    "the same version again": ([seen()], seen(), []),
    "an older version": ([seen(2)], seen(1, fields={"XK_NR": "另一内容"}), []),
    "a version after the withdrawal": ([seen(), seen(2, action="withdraw")], seen(3, action="correct"), []),
}


@pytest.mark.parametrize(("before", "given", "expected"), TABLE.values(), ids=TABLE.keys())
def test_what_the_feeds_are_told(
    before: list[RecordSeen], given: RecordSeen, expected: list[tuple[object, ...]]
) -> None:
    file, _ = tell(*before)
    assert lines(tell(given, file=file)[1]) == expected


def test_an_addition_has_no_before_and_no_fields_changed() -> None:
    (added,) = on("public", tell(seen(fields={"A": "1"}))[1])
    assert (added.before, added.after, added.fields_changed) == (None, {"A": "1"}, ())
    assert added.shown == shown(A="1")


def test_a_correction_names_the_fields_in_which_before_and_after_differ() -> None:
    old, new = {"same": "1", "other": "1", "gone": "1"}, {"same": "1", "other": "2", "new": "2"}
    (corrected,) = on("public", tell(seen(fields=old), seen(2, action="correct", fields=new))[1][2:])
    assert (corrected.before, corrected.after) == (old, new)
    assert corrected.fields_changed == ("gone", "new", "other")
    assert corrected.shown == shown(**new)


def test_a_withdrawal_says_what_was_shown_and_nothing_is_kept_of_it() -> None:
    file, said = tell(seen(fields={"A": "1"}), seen(2, action="withdraw"))
    for feed in FEEDS:
        withdrawn = on(feed, said)[-1]
        assert (withdrawn.change, withdrawn.before, withdrawn.after) == ("WITHDRAWN", {"A": "1"}, None)
        assert (withdrawn.shown, withdrawn.fields_changed) == (shown(A="1"), ())
    assert file.records == {RECORD: Standing(RECORD, 2, JIA, withdrawn=True)}


def test_a_moved_record_stands_with_its_new_subject_alone() -> None:
    file, said = tell(seen(fields={"A": "1"}), seen(2, action="correct", subject_id=YI, fields={"A": "2"}))
    gone, come = on("government", said)[1:]
    assert (gone.subject_id, gone.before, gone.after) == (JIA, {"A": "1"}, None)
    assert (come.subject_id, come.before, come.after) == (YI, None, {"A": "2"})
    assert (file.records[RECORD].subject_id, file.records[RECORD].shown) == (YI, shown(A="2"))


def test_what_is_for_nobody_stands_without_content() -> None:
    file, said = tell(seen(feeds=()))
    assert said == [RecordStands(Standing(RECORD, 1, JIA), AT_MS + 1)]
    assert file.records[RECORD].shown is None


def test_content_that_no_feed_may_have_is_dropped() -> None:
    file, _ = tell(seen(fields={"A": "1"})._replace(feeds=()))
    assert file.records[RECORD].shown is None


def test_a_version_whose_edition_is_not_here_waits_and_changes_nothing() -> None:
    unknown = seen(2, action="correct")._replace(shown=None)
    before, _ = tell(seen())
    file, said = tell(unknown, file=before)
    assert said == [RecordWaits(RECORD, 2, AT_MS + 2 + LOOK_AGAIN_MS)]
    assert file == before


def test_one_that_waited_is_old_when_a_newer_one_has_come() -> None:
    file, _ = tell(seen()._replace(shown=None), seen(2, action="correct"))
    assert tell(seen(1), file=file)[1] == []


def test_subjects_that_share_a_record_are_decided_together() -> None:
    third = b"subject of bing "
    stands = Standing(RECORD, 1, JIA, FEEDS, shown=shown(A="1"))
    pairs = [(RECORD, YI), (b"x" * 16, third), (RECORD, JIA)]
    counts = {JIA: (4, 5)}
    keys, files = group(pairs, {RECORD: stands}, counts)
    assert keys[JIA] == keys[YI] != keys[third]
    assert files == {keys[JIA]: SubjectFile(counts, {RECORD: stands}), third: EMPTY}
