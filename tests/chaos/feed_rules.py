"""What must be true of the feeds; imports nothing of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from tests.chaos import links
from tests.chaos.facts import Facts
from tests.chaos.heard import FEEDS, Change, Finding, Version, version_named

SHOWN_ON = {"public": ("public",), "government": ("public", "government")}


def fed(facts: Facts) -> Iterator[Finding]:
    """I1, I2, I3: per subject each feed tells exactly the linked versions it may, in their order, counted 1, 2, 3 …

    Of records whose link changed it tells when they come and go, in whatever order the feed's service heard of both;
    where they are in the end is what counts.
    """
    moving = links.moving(facts)
    for feed, manners in SHOWN_ON.items():
        told = facts.feeds[feed]
        for subject_id in facts.told_of.keys() & facts.erased:
            yield from _withdrawn(facts, feed, subject_id, manners)
        for subject_id in (facts.told_of.keys() | (told.keys() & moving)) - facts.erased:
            versions = [at for at in facts.told_of.get(subject_id, ()) if at[0] not in facts.links]
            right = [at for at in _rising(versions) if facts.linked[at].disclosure in manners]
            lines = told.get(subject_id, [])
            lines = links.in_order(lines) if subject_id in moving else lines
            yield from _same(feed, right, [line for line in lines if line.version[0] not in facts.links])
            yield from _numbered(lines)
            yield from _lives(feed, [line for line in lines if line.version[0] in facts.links])
        for subject_id in told.keys() - facts.told_of.keys() - moving:
            at = told[subject_id][0].version
            yield Finding("I2", f"on the {feed} feed, but linked to nobody there", version_named(*at))
        yield from links.moved_are_shown(facts, feed, manners)


def _withdrawn(facts: Facts, feed: str, subject_id: bytes, manners: Collection[str]) -> Iterator[Finding]:
    """I2, I3, I7: of who was erased nothing stands. How much was told before is not known: two lanes tell."""
    lines = links.in_order(facts.feeds[feed].get(subject_id, ()))
    yield from _numbered(lines)
    yield from _lives(feed, lines)
    known = {at for at in facts.told_of[subject_id] if facts.linked[at].disclosure in manners}
    for line in lines:
        if line.version not in known and line.change != "WITHDRAWN":
            yield Finding("I2", f"one too many on {FEEDS[feed]}", version_named(*line.version))
    for at in links.shown(facts, feed).get(subject_id, {}).items():
        yield Finding("I7", f"still on {FEEDS[feed]}, though its subject was erased", version_named(*at))


def _rising(versions: Sequence[Version]) -> Iterator[Version]:
    """Without those that come after a later one of their record: what stands is newer, a feed tells nothing of them."""
    last: dict[bytes, int] = {}
    for record_id, version in versions:
        if version > last.get(record_id, 0):
            last[record_id] = version
            yield record_id, version


def _same(feed: str, right: Sequence[Version], told: Sequence[Change]) -> Iterator[Finding]:
    """The first difference between what a subject's feed had to tell and what it told."""
    heard = [change.version for change in told]
    if heard != right:
        if lost := [at for at in right if at not in set(heard)]:
            yield Finding("I1", f"missing on {FEEDS[feed]}", version_named(*lost[0]))
        elif extra := [at for at, n in (Counter(heard) - Counter(right)).items() if n]:
            yield Finding("I2", f"one too many on {FEEDS[feed]}", version_named(*extra[0]))
        else:
            at = next(a for a, b in zip(heard, right, strict=True) if a != b)
            yield Finding("I3", f"out of order on {FEEDS[feed]}", version_named(*at))


def _lives(feed: str, told: Sequence[Change]) -> Iterator[Finding]:
    """For one subject a record is added, corrected, withdrawn, and then perhaps added again."""
    there: set[bytes] = set()
    for change in told:
        record_id = change.version[0]
        if (change.change == "ADDED") == (record_id in there):
            yield Finding("I2", f"{change.change} on {FEEDS[feed]} out of its turn", version_named(*change.version))
        (there.discard if change.change == "WITHDRAWN" else there.add)(record_id)


def _numbered(told: Sequence[Change]) -> Iterator[Finding]:
    for number, change in enumerate(told, 1):
        if change.subject_seq != number:
            yield Finding(
                "I3", f"subject_seq {change.subject_seq} where {number} was due", version_named(*change.version)
            )
            return
