"""Versions of a record and changes of its link, in any order: disclosure ends as the one that heard all in order."""

from __future__ import annotations

from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.disclosure.domain.events import Event, RecordChanged, Standing
from services.disclosure.domain.inputs import Input, LinkMoved, Relinked
from services.disclosure.domain.subject_file import EMPTY, SubjectFile, decide, evolve
from services.disclosure.domain.terms import FEEDS
from tests.unit.disclosure.samples import AT_MS, JIA, RECORD, YI, seen

SUBJECTS = (JIA, YI, b"subject of bing ")
steps = st.lists(st.sampled_from(["version", "move", "nobody", "again"]), max_size=8)


def story(kinds: list[str], subjects: list[bytes]) -> list[Input]:
    """What identity tells of one record, in the order in which it decides: both numbers only rise."""
    told: list[Input] = [seen(1, subject_id=subjects[0], fields={"XK_NR": "1"})]  # a version always says the same
    version, link_no, about, numbered = 1, 0, subjects[0], False
    linked = True
    for kind, subject_id in zip(kinds, subjects[1:], strict=False):
        if kind == "move" and linked:
            link_no, about = link_no + 2, subject_id
            told.append(LinkMoved(RECORD, link_no, about, True, AT_MS))
        elif kind == "nobody" and linked:
            link_no, linked, numbered = link_no + 2, False, True
            told.append(LinkMoved(RECORD, link_no, about, False, AT_MS))
        elif kind == "again" and not linked:
            link_no, linked, about = link_no + 1, True, subject_id
            again = seen(version, subject_id=about, fields={"XK_NR": str(version)})
            told += [again, Relinked(again, link_no)]
        elif kind == "version" and linked:
            version += 1
            newer = seen(version, subject_id=about, action="correct", fields={"XK_NR": str(version)})
            told += [newer, Relinked(newer, link_no)] if numbered else [newer]
    return told


def tell(given_: list[Input]) -> tuple[SubjectFile, list[Event]]:
    file, said = EMPTY, list[Event]()
    for one in given_:
        events = decide(file, one)
        file = reduce(evolve, events, file)
        said += events
    return file, said


def plain(standing: Standing) -> tuple[object, ...]:
    about = None if standing.nobodys else standing.subject_id
    return standing.link_no, standing.nobodys, about, standing.shown, None if standing.nobodys else standing.version


@given(steps, st.lists(st.sampled_from(SUBJECTS), min_size=9, max_size=9), st.randoms())
def test_the_order_in_which_it_is_heard_does_not_matter(
    kinds: list[str], subjects: list[bytes], chance: Random
) -> None:
    told = story(kinds, subjects)
    heard = chance.sample(told, len(told)) + told[:2]
    assert plain(tell(heard)[0].records[RECORD]) == plain(tell(told)[0].records[RECORD])


@given(steps, st.lists(st.sampled_from(SUBJECTS), min_size=9, max_size=9), st.randoms())
def test_feeds_show_it_once_and_nowhere_else(kinds: list[str], subjects: list[bytes], chance: Random) -> None:
    told = story(kinds, subjects)
    heard = chance.sample(told, len(told))
    file, said = tell(heard)
    for feed in FEEDS:
        shown: dict[bytes, bool] = {}
        for event in said:
            if isinstance(event, RecordChanged) and event.feed == feed:
                assert shown.get(event.subject_id, False) == (event.change != "ADDED")
                shown[event.subject_id] = event.change != "WITHDRAWN"
        standing = file.records[RECORD]
        assert [subject for subject, there in shown.items() if there] == (
            [] if standing.on(feed) is None else [standing.subject_id]
        )
