"""Decides what an accepted version of a record means: link or review, new subjects and codes, releases from review."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.identity.domain import mappings, naming, relating
from services.identity.domain.cluster import Cluster, Record
from services.identity.domain.events import (
    Event,
    RecordHeld,
    RecordLinked,
    RecordOvertaken,
    RecordSuperseded,
    VersionArrived,
    VersionsMissing,
)
from services.identity.domain.ladder import Doubt, conflicts, judge
from services.identity.domain.records import Claim, Held, Link, RecordSeen
from services.identity.domain.relations import ROLE_OF
from services.identity.domain.story import Story, linked_after
from services.identity.domain.subject_events import AliasBound, AliasContested
from services.identity.domain.subjects import Alias
from services.identity.domain.terms import CURED_BY_LATER, MAPPING, REGISTRATION


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
        link_no = record.link_no if record.link is None else 0
        story.tell([RecordHeld(Held(given, judged.reason, judged.alias_id, link_no), given.at_ms)])
    else:
        link_version(story, given, judged, released=False)
    return story.events


def _out_of_turn(record: Record, given: RecordSeen) -> Event:
    if given.version > record.version:
        return VersionsMissing(given.record_id, tuple(range(record.version + 1, given.version)))
    return VersionArrived(given.record_id, given.version)


def link_version(story: Story, given: RecordSeen, link: Link, released: bool) -> None:
    """This version is about that subject; tells all that follows from it."""
    news = list(naming.subject_events(story.cluster, given, link, story.at_ms))
    story.tell(news)
    brought = mappings.settle(story, given) if given.item == MAPPING else []
    brought += _claim(story, given)
    if news and given.item == REGISTRATION:
        brought.append(link.subject_id)  # whoever waits for the subject's name
    about = story.cluster.root(link.subject_id)
    about = b"" if about == link.subject_id else about
    link_no = _number(story, given.record_id)
    if given.record_id in story.cluster.records:
        story.tell(list(_earlier(story, given, link, about, link_no)))
    story.tell([RecordLinked(given, link, released, story.at_ms, about, link_no)])
    if given.item in ROLE_OF:
        relating.settle(story, given, link)
    for one in dict.fromkeys(brought):
        release(story, one)


def _number(story: Story, record_id: bytes) -> int:
    """Of a record that was nobody's, all is told under a number from now on; 0: of all others."""
    record = story.cluster.records.get(record_id)
    if record is not None and record.link_no and record.link is None:
        return linked_after(story.cluster.ledger.number)
    return 0 if record is None else record.link_no


def _claim(story: Story, given: RecordSeen) -> list[bytes]:
    """The codes that this record brings; one that is another's is contested by a registration, never taken over."""
    bound: list[bytes] = []
    for claim in () if given.withdraws else given.claims:
        alias = story.cluster.alias(claim.alias.id, claim.alias.kind)
        if conflicts(story.cluster, claim):
            if not alias.contested:
                story.tell([AliasContested(alias.alias_id)])
        elif alias.subject_id is None or _by_registration_too(alias, claim, given):
            story.tell([AliasBound(Alias(alias.alias_id, claim.alias.kind, claim.subject.id, given.item))])
            bound.append(alias.alias_id)
    return bound


def _by_registration_too(alias: Alias, claim: Claim, given: RecordSeen) -> bool:
    """What a mapping brought, a registration brings for good: it is not taken back with the mapping."""
    return not claim.binding and alias.source != given.item and alias.subject_id == claim.subject.id


def _earlier(story: Story, given: RecordSeen, link: Link, about: bytes, link_no: int) -> Iterable[Event]:
    """Versions of the same record that are still in review go first, or never: order per record is kept."""
    record = story.cluster.record(given.record_id)
    for held in record.held:
        if held.given.version >= given.version:
            continue
        if record.link is None and held.reason in CURED_BY_LATER:
            yield RecordLinked(held.given, link, True, story.at_ms, about, link_no)
        else:
            yield RecordSuperseded(given.record_id, held.given.version, story.at_ms)


def release(story: Story, alias_id: bytes) -> None:
    """Judge again what waited for this code or this subject's name, and what queues behind it."""
    for waiting in story.cluster.waiting(alias_id):
        for held in story.cluster.record(waiting.record_id).held:
            if held in story.cluster.record(waiting.record_id).held:  # an earlier step may have settled it
                _judge_again(story, held)


def _judge_again(story: Story, held: Held) -> None:
    judged = judge(story.cluster, held.given)
    if isinstance(judged, Link):
        link_version(story, held.given, judged, released=True)
    elif judged != (held.reason, held.alias_id):
        story.tell([RecordHeld(Held(held.given, judged.reason, judged.alias_id, held.link_no), story.at_ms)])
