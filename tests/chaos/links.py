"""Whose each record is by what the topics said of links, and what must be true of that. Pure, imports nothing of ours.

A record is whose its newest version says, until its link changes without one: then whose the highest link number says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping

from tests.chaos.facts import Facts
from tests.chaos.heard import LINK, LINKED, Change, Finding, LinkTold, Version


def newest(versions: Collection[Version] | Mapping[Version, object]) -> dict[bytes, int]:
    """Record id -> its highest version."""
    found: dict[bytes, int] = {}
    for record_id, version in versions:
        found[record_id] = max(version, found.get(record_id, 0))
    return found


def last(facts: Facts, record_id: bytes) -> LinkTold | None:
    """The change of its link that stands; None: it never changed without a new version."""
    return max(facts.links.get(record_id, ()), key=lambda told: told.link_no, default=None)


def whose(facts: Facts) -> dict[bytes, bytes | None]:
    """Record id -> the subject it is about; None: nobody known any more."""
    found: dict[bytes, bytes | None] = {}
    for record_id, version in newest(facts.linked).items():
        link = last(facts, record_id)
        found[record_id] = facts.linked[record_id, version].subject_id if link is None else link.about
    return found


def nobodys(facts: Facts) -> set[bytes]:
    """Records that were linked, and are about nobody known now."""
    return {record_id for record_id, subject_id in whose(facts).items() if subject_id is None}


def pushed_with(facts: Facts, record_id: bytes) -> int:
    """The link number that goes into the last push to the nation: of a link that was lost or found; 0: none was."""
    return max((t.link_no for t in facts.links.get(record_id, ()) if not t.linked or t.again), default=0)


def root(merged: Mapping[bytes, bytes], subject_id: bytes) -> bytes:
    """Who stands for this subject, by subject -> whom it was merged into; the last one seen where that is a circle."""
    seen = {subject_id}
    while (into := merged.get(subject_id)) is not None and into not in seen:
        seen.add(subject_id := into)
    return subject_id


def moving(facts: Facts) -> set[bytes]:
    """Subjects that records have moved to or from: two lanes tell of such a subject, in no order."""
    found = {told.subject_id for links in facts.links.values() for told in links}
    return found | {one.subject_id for (record_id, _), one in facts.linked.items() if record_id in facts.links}


def changed(facts: Facts, in_review: Collection[Version]) -> Iterator[Finding]:
    """I1, I2, I3, I7: what is said of links is said once, in steps that follow from each other, and of who there is."""
    for record_id, links in facts.links.items():
        yield from _steps(record_id, links)
    yield from _told_again(facts)
    waiting = set(in_review)
    for record_id, subject_id in whose(facts).items():
        at = record_id, newest_version(facts, record_id)
        if subject_id is None and at not in waiting:
            yield Finding("I1", "about nobody known any more, yet not in review", _named(at))
        elif subject_id is not None and root(facts.merged, subject_id) != subject_id:
            yield Finding("I7", "about a subject for which another stands", _named(at))


def newest_version(facts: Facts, record_id: bytes) -> int:
    """The highest version that was linked."""
    return max(facts.versions_of[record_id])


def _steps(record_id: bytes, links: Collection[LinkTold]) -> Iterator[Finding]:
    """A link is lost only while there is one, and found only after it was lost."""
    where = f"record {record_id.hex()}"
    by_number: dict[int, set[tuple[bytes, bool, bool]]] = defaultdict(set)
    for told, times in Counter(links).items():
        by_number[told.link_no].add((told.subject_id, told.linked, told.again > 0))
        if times > 1:
            yield Finding("I2", f"link number {told.link_no} told twice on {LINK}", where)
    lost = False
    for number in sorted(by_number):
        if len(by_number[number]) > 1:
            yield Finding("I3", f"link number {number} says two things", where)
        _, linked, again = min(by_number[number])
        if lost != again or (lost and not linked):
            what = "lost, then changed without having been found" if lost else "found, but never lost"
            yield Finding("I3", f"its link was {what}, at link number {number}", where)
        lost = not linked


def _told_again(facts: Facts) -> Iterator[Finding]:
    """A version is told on both topics each time that it brings its record back, and once before on the one."""
    again: Counter[Version] = Counter()
    for record_id, links in facts.links.items():
        again.update((record_id, told.again) for told in links if told.again)
    for at, times in facts.times.items():
        if times > again[at] + 1:
            yield Finding("I2", f"told twice on {LINKED}", _named(at))
    for at, times in again.items():
        if times > facts.times[at]:
            yield Finding("I1", f"told again on {LINK}, not on {LINKED}", _named(at))


def shown(facts: Facts, feed: str) -> dict[bytes, dict[bytes, int]]:
    """What stands at the end of a feed: subject id -> record id -> version."""
    found: dict[bytes, dict[bytes, int]] = {}
    for subject_id, changes in facts.feeds[feed].items():
        stands = found.setdefault(subject_id, {})
        for change in in_order(changes):
            if change.change == "WITHDRAWN":
                stands.pop(change.version[0], None)
            else:
                stands[change.version[0]] = change.version[1]
    return found


def in_order(changes: Collection[Change]) -> list[Change]:
    """By their numbers: of a subject that records move to or from, two lanes tell."""
    return sorted(changes, key=lambda change: change.subject_seq)


def moved_are_shown(facts: Facts, feed: str, manners: Collection[str]) -> Iterator[Finding]:
    """I1, I7: a record whose link changed is shown for the subject it is about now, as its newest version, and nowhere
    else."""
    places: dict[bytes, dict[bytes, int]] = defaultdict(dict)
    for subject_id, stands in shown(facts, feed).items():
        for record_id in stands.keys() & facts.links.keys():
            places[record_id][subject_id] = stands[record_id]
    about = whose(facts)
    for record_id in facts.links.keys() & about.keys():
        at, subject_id = (record_id, newest_version(facts, record_id)), about[record_id]
        one = facts.linked[at]
        there = subject_id is not None and one.action != "withdraw" and one.disclosure in manners
        there = there and subject_id not in facts.erased
        right = {subject_id: at[1]} if there else {}
        for other in places[record_id].keys() - right.keys():
            yield Finding("I7", f"on the {feed} feed for another than it is about, {other.hex()}", _named(at))
        if right and right.keys() - places[record_id].keys():
            yield Finding("I1", f"missing on the {feed} feed since its link changed", _named(at))
        elif right and places[record_id] != right:
            yield Finding("I3", f"on the {feed} feed not as its newest version", _named(at))


def _named(at: Version) -> str:
    return f"record {at[0].hex()} v{at[1]}"
