"""Decides what an accepted version of a record means: link or review, new subjects and codes, releases from review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.identity.domain import naming
from services.identity.domain.cluster import Cluster, Record, evolve
from services.identity.domain.events import (
    Alias,
    AliasBound,
    AliasContested,
    Event,
    Held,
    Link,
    RecordHeld,
    RecordLinked,
    RecordOvertaken,
    RecordSeen,
    RecordSuperseded,
    VersionArrived,
    VersionsMissing,
)
from services.identity.domain.ladder import Doubt, conflicts, judge
from services.identity.domain.terms import CURED_BY_LATER, REGISTRATION


class Story:
    """Facts told one after the other, each decided on what the earlier ones made of the cluster."""

    def __init__(self, cluster: Cluster, at_ms: int) -> None:
        self.cluster = cluster
        self.at_ms = at_ms
        self.events: list[Event] = []

    def tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.cluster = evolve(self.cluster, event)


def decide(cluster: Cluster, given: RecordSeen) -> Sequence[Event]:
    """A version seen before states nothing new; one that is late is judged, unless a newer one is linked already."""
    record = cluster.record(given.record_id)
    story = Story(cluster, given.at_ms)
    if given.version != record.version + 1:
        if given.version <= record.version and given.version not in record.missing:
            return ()
        story.tell([_out_of_turn(record, given)])
    if given.version < record.linked:
        story.tell([RecordOvertaken(given, given.at_ms)])
        return story.events
    judged = judge(cluster, given)
    if isinstance(judged, Doubt):
        story.tell([RecordHeld(Held(given, judged.reason, judged.alias_id), given.at_ms)])
    else:
        _link(story, given, judged, released=False)
    return story.events


def _out_of_turn(record: Record, given: RecordSeen) -> Event:
    if given.version > record.version:
        return VersionsMissing(given.record_id, tuple(range(record.version + 1, given.version)))
    return VersionArrived(given.record_id, given.version)


def _link(story: Story, given: RecordSeen, link: Link, released: bool) -> None:
    news = list(naming.subject_events(story.cluster, given, link, story.at_ms))
    story.tell(news)
    brought = _claim(story, given)
    if news and given.item == REGISTRATION:
        brought.append(link.subject_id)  # whoever waits for the subject's name
    story.tell(list(_earlier(story, given, link)))
    story.tell([RecordLinked(given, link, released, story.at_ms)])
    for one in brought:
        _release(story, one)


def _claim(story: Story, given: RecordSeen) -> list[bytes]:
    """The codes that this record brings; one that is another's is contested by a registration, never taken over."""
    bound: list[bytes] = []
    for claim in () if given.withdraws else given.claims:
        alias = story.cluster.alias(claim.alias.id, claim.alias.kind)
        if conflicts(story.cluster, claim):
            if not alias.contested:
                story.tell([AliasContested(alias.alias_id)])
        elif alias.subject_id is None:
            story.tell([AliasBound(Alias(alias.alias_id, claim.alias.kind, claim.subject.id, given.item))])
            bound.append(alias.alias_id)
    return bound


def _earlier(story: Story, given: RecordSeen, link: Link) -> Iterable[Event]:
    """Versions of the same record that are still in review go first, or never: order per record is kept."""
    record = story.cluster.record(given.record_id)
    for held in record.held:
        if held.given.version >= given.version:
            continue
        if record.link is None and held.reason in CURED_BY_LATER:
            yield RecordLinked(held.given, link, True, story.at_ms)
        else:
            yield RecordSuperseded(given.record_id, held.given.version, story.at_ms)


def _release(story: Story, alias_id: bytes) -> None:
    """Judge again what waited for this code or this subject's name, and what queues behind it."""
    for waiting in story.cluster.waiting(alias_id):
        for held in story.cluster.record(waiting.record_id).held:
            if held in story.cluster.record(waiting.record_id).held:  # an earlier step may have settled it
                _judge_again(story, held)


def _judge_again(story: Story, held: Held) -> None:
    judged = judge(story.cluster, held.given)
    if isinstance(judged, Link):
        _link(story, held.given, judged, released=True)
    elif judged != (held.reason, held.alias_id):
        story.tell([RecordHeld(Held(held.given, judged.reason, judged.alias_id), story.at_ms)])
