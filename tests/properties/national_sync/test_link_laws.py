"""Versions of a record and changes of its link, in any order: in the end the nation holds what identity linked."""

from __future__ import annotations

from functools import reduce
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.national_sync.domain.deciding import decide
from services.national_sync.domain.events import Action, Event, PushWanted
from services.national_sync.domain.exchange import Exchange, evolve
from services.national_sync.domain.inputs import Answer, Input, RecordSeen, Relinked, Unlinked
from services.national_sync.platform_client import Told
from tests.sim.platform import Platform

RECORD = b"R" * 16
steps = st.lists(st.sampled_from(["version", "withdrawal", "lost", "found", "answer"]), max_size=9)


def version(number: int, action: Action = "put") -> RecordSeen:
    return RecordSeen(RECORD, number, "org-permit", action, b"version %d" % number, number)


def story(kinds: list[str]) -> list[Input]:
    """What identity tells of one record, in the order in which it decides: both numbers only rise.

    Of a record that was nobody's, each later version is told on both topics; one that is found again by a later version
    is told by the earlier ones first.
    """
    told: list[Input] = [version(1)]
    newest, link_no, about_somebody, waiting = version(1), 0, True, list[RecordSeen]()
    for kind in kinds:
        if kind in ("version", "withdrawal"):
            newest = version(newest.version + 1, "put" if kind == "version" else "delete")
            if not about_somebody:
                waiting.append(newest)
            else:
                told += [newest, Relinked(newest, link_no)] if link_no else [newest]
        elif kind == "lost" and about_somebody:
            link_no, about_somebody, waiting = link_no + 2, False, [newest]
            told.append(Unlinked(RECORD, link_no, 50))
        elif kind == "found" and not about_somebody:
            link_no, about_somebody = link_no + 1, True
            for one in waiting:
                told += [one, Relinked(one, link_no)]
    return told


def standing(told: list[Input]) -> tuple[bool, bytes | None]:
    """Whether the nation has to hold it, and as what, by the highest of both numbers."""
    links = [(g.link_no, isinstance(g, Relinked)) for g in told if isinstance(g, Relinked | Unlinked)]
    newest = max((g for g in told if isinstance(g, RecordSeen)), key=lambda seen: seen.version)
    holds = max(links, default=(0, True))[1] and newest.action == "put"
    return holds, newest.submission if holds else None


class Nation:
    """The simulated platform behind a ledger that pushes whenever it is told to, and once in the end."""

    def __init__(self) -> None:
        self.platform = Platform(Random(1), None)
        self.state = Exchange(RECORD)
        self.events: list[Event] = []
        self.content: dict[int, bytes] = {}

    def hear(self, given: Input) -> None:
        events = decide(self.state, given)
        self.state = reduce(evolve, events, self.state)
        self.events += events
        for event in events:
            if isinstance(event, PushWanted):
                assert self.state.number not in self.content, "a number is used for one push only"
                self.content[self.state.number] = event.submission

    def push(self) -> None:
        """As the gateway does, with the answer back at once."""
        if self.state.status != "PENDING":
            return
        number, action = self.state.number, self.state.action
        pushed = {"key": f"{RECORD.hex()}:{number}", "record_id": RECORD.hex(), "version": number, "action": action}
        assert self.platform.take(pushed) == Told("ACKNOWLEDGED", "", "")
        self.hear(Answer(RECORD, number, self.state.attempt, action, "ACKNOWLEDGED", "", "", 60))

    def holds(self) -> tuple[bool, bytes | None]:
        number, action = self.platform.held.get(RECORD.hex(), (0, "delete"))
        return action == "put", self.content[number] if action == "put" else None


@given(steps, st.randoms())
def test_in_any_order_the_nation_holds_what_is_linked(kinds: list[str], chance: Random) -> None:
    told = story(kinds)
    nation = Nation()
    for given_ in chance.sample(told, len(told)) + told[:2]:
        nation.hear(given_)
        if chance.random() < 0.5:
            nation.push()
    nation.push()
    assert nation.holds() == standing(told)
    assert nation.state.held == nation.holds()[0]


@given(steps, st.randoms())
def test_where_the_ledger_ends_does_not_depend_on_the_order(kinds: list[str], chance: Random) -> None:
    told = story(kinds)
    ends: list[Exchange] = []
    for order in (told, chance.sample(told, len(told))):
        nation = Nation()
        for given_ in order:
            nation.hear(given_)
        ends.append(nation.state)
    assert ends[0] == ends[1]


@given(steps, st.randoms())
def test_numbers_only_rise(kinds: list[str], chance: Random) -> None:
    """So the platform, which keeps the highest, keeps the last that was wanted."""
    nation = Nation()
    told = story(kinds)
    for given_ in chance.sample(told, len(told)):
        nation.hear(given_)
    wanted = [event.version + event.link_no for event in nation.events if isinstance(event, PushWanted)]
    assert wanted == sorted(set(wanted))
