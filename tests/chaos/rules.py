"""What must be true of the topics alone; each rule names the offending records. Pure, imports nothing of ours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from tests.chaos import links
from tests.chaos.facts import Facts
from tests.chaos.heard import FEEDS, LINKED, RECORD, Change, Finding, Receipt, Submitted, TaskTold, Version

PUBLISHED_CODES = frozenset((Path(__file__).parent / "refusal_codes.txt").read_text().split())
SHOWN_ON = {"public": ("public",), "government": ("public", "government")}


def answered(facts: Facts, parked: Collection[tuple[str, int, int]] = ()) -> Iterator[Finding]:
    """I1, I4: one final receipt for each submission, on its agency's topic, its partition, under its key."""
    needed: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Submitted] = {}
    places: dict[tuple[str, str], set[tuple[int, bytes]]] = defaultdict(set)
    elsewhere = {name for _, name in facts.receipts}
    for one in facts.submitted:
        by_place = (one.agency, one.place) in facts.receipts or one.submission_id is None
        name = one.agency, one.place if by_place else str(one.submission_id)
        if (f"credit.submit.{one.agency}.v1", one.partition, one.offset) in parked:
            if name not in facts.waiting:
                yield Finding("I1", "parked without a WAITING receipt", one.name)
            continue
        needed[name] += 1
        first.setdefault(name, one)
        places[name].add((one.partition, one.key))
    for name, count in needed.items():
        found = facts.receipts.get(name, ())
        if not found and name[1] in elsewhere:
            yield Finding("I4", "answered on another agency's topic", first[name].name)
        elif len(found) < count:
            yield Finding("I1", f"{len(found)} final receipts for {count} submissions", first[name].name)
        elif len(found) > count:
            yield Finding("I2", f"{len(found)} final receipts for {count} submissions", first[name].name)
        yield from _well_answered(first[name], places[name], found)
    for agency, name in facts.receipts.keys() - needed.keys():
        yield Finding("I1", "a final receipt for what nobody submitted", f"{agency}, receipt of {name!r}")


def _well_answered(
    one: Submitted, places: Collection[tuple[int, bytes]], found: Sequence[Receipt]
) -> Iterator[Finding]:
    for receipt in found:
        if (receipt.partition, receipt.key) not in places:
            yield Finding("I4", "answered under another key or partition", one.name)
        if receipt.outcome == "REFUSED" and not (receipt.codes and PUBLISHED_CODES.issuperset(receipt.codes)):
            yield Finding("I4", f"refused for {receipt.codes}, not from the published list", one.name)


def accepted(facts: Facts) -> Iterator[Finding]:
    """I1, I2: each ACCEPTED receipt is one version of one record, versions count 1, 2, 3 …, and the other way round."""
    versions: Counter[tuple[str, str]] = Counter(facts.accepted.values())
    for name, found in facts.receipts.items():
        said = sum(receipt.outcome == "ACCEPTED" for receipt in found)
        if said != versions[name]:
            yield Finding(
                "I1" if said > versions[name] else "I2",
                f"{said} ACCEPTED, {versions[name]} versions on {RECORD}",
                f"{name[0]}/{found[0].key.decode(errors='backslashreplace')}",
            )
    for (record_id, version), name in facts.accepted.items():
        if name not in facts.receipts:
            yield Finding("I1", "accepted without a receipt", f"{name[0]} record {record_id.hex()} v{version}")
    yield from _counted(facts)


def _counted(facts: Facts) -> Iterator[Finding]:
    last: dict[bytes, int] = {}
    for record_id, version in facts.accepted:  # in the order heard; one partition holds all versions of a record
        if version != last.get(record_id, 0) + 1:
            yield Finding("I3", f"version {version} follows {last.get(record_id, 0)}", f"record {record_id.hex()}")
        last[record_id] = version


def linked(facts: Facts, in_review: Collection[Version]) -> Iterator[Finding]:
    """I7: accepted = linked + in review, as sets; what was linked may wait again, until its link is found."""
    about = links.whose(facts)
    lost = {i for i, told in facts.links.items() if any(not each.linked for each in told)}
    for record_id, version in facts.accepted.keys() - facts.linked.keys() - set(in_review):
        yield Finding("I1", f"accepted, yet neither on {LINKED} nor in review", _version(record_id, version))
    for record_id, version in facts.linked.keys() - facts.accepted.keys():
        yield Finding("I2", "linked, but never accepted", _version(record_id, version))
    for record_id, version in facts.linked.keys() & set(in_review):
        older = version < links.newest_version(facts, record_id)
        if not (record_id in lost and (about[record_id] is None or older)):
            yield Finding("I2", "linked and in review", _version(record_id, version))


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
            yield Finding("I2", f"on the {feed} feed, but linked to nobody there", _version(*at))
        yield from links.moved_are_shown(facts, feed, manners)


def _withdrawn(facts: Facts, feed: str, subject_id: bytes, manners: Collection[str]) -> Iterator[Finding]:
    """I2, I3, I7: of who was erased nothing stands. How much was told before is not known: two lanes tell."""
    lines = links.in_order(facts.feeds[feed].get(subject_id, ()))
    yield from _numbered(lines)
    yield from _lives(feed, lines)
    known = {at for at in facts.told_of[subject_id] if facts.linked[at].disclosure in manners}
    for line in lines:
        if line.version not in known and line.change != "WITHDRAWN":
            yield Finding("I2", f"one too many on {FEEDS[feed]}", _version(*line.version))
    for at in links.shown(facts, feed).get(subject_id, {}).items():
        yield Finding("I7", f"still on {FEEDS[feed]}, though its subject was erased", _version(*at))


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
            yield Finding("I1", f"missing on {FEEDS[feed]}", _version(*lost[0]))
        elif extra := [at for at, n in (Counter(heard) - Counter(right)).items() if n]:
            yield Finding("I2", f"one too many on {FEEDS[feed]}", _version(*extra[0]))
        else:
            at = next(a for a, b in zip(heard, right, strict=True) if a != b)
            yield Finding("I3", f"out of order on {FEEDS[feed]}", _version(*at))


def _lives(feed: str, told: Sequence[Change]) -> Iterator[Finding]:
    """For one subject a record is added, corrected, withdrawn, and then perhaps added again."""
    there: set[bytes] = set()
    for change in told:
        record_id = change.version[0]
        if (change.change == "ADDED") == (record_id in there):
            yield Finding("I2", f"{change.change} on {FEEDS[feed]} out of its turn", _version(*change.version))
        (there.discard if change.change == "WITHDRAWN" else there.add)(record_id)


def _numbered(told: Sequence[Change]) -> Iterator[Finding]:
    for number, change in enumerate(told, 1):
        if change.subject_seq != number:
            yield Finding("I3", f"subject_seq {change.subject_seq} where {number} was due", _version(*change.version))
            return


def tasks(facts: Facts) -> Iterator[Finding]:
    """I2, I3: a task is opened once, first, and closed or lifted at most once; its versions count without a gap.

    One of a record whose link changed is lifted then, and may be opened again for whom the record is about since.
    """
    about = links.whose(facts)
    for task_id, told in facts.tasks.items():
        states, numbers = [each.change for each in told], [each.version for each in told if each.version]
        if numbers != list(range(min(numbers, default=1), min(numbers, default=1) + len(numbers))):
            yield Finding("I3", f"the versions told of a task are {numbers}", f"task {task_id}")
        record_id = facts.task_of[task_id][1] if task_id in facts.task_of else b""
        lives = list(_split(states)) if record_id in facts.links else [states]
        if any(life[:1] != ["OPENED"] or life.count("OPENED") > 1 for life in lives):
            yield Finding("I2", f"a task's life is {states}", f"task {task_id}")
        if any(life.count(end) > 1 for life in lives for end in ("CLOSED", "LIFTED")):
            yield Finding("I2", f"a task ended twice: {states}", f"task {task_id}")
        yield from _of_its_subject(task_id, told[-1], record_id, about)


def _split(states: Sequence[str]) -> Iterator[list[str]]:
    """A life ends where the task is lifted."""
    life: list[str] = []
    for state in states:
        if state == "OPENED" and life[-1:] == ["LIFTED"]:
            yield life
            life = []
        life.append(state)
    yield life


def _of_its_subject(
    task_id: str, told: TaskTold, record_id: bytes, about: Mapping[bytes, bytes | None]
) -> Iterator[Finding]:
    """I7: what is under way is about whom its record is about."""
    if told.change != "LIFTED" and record_id in about and told.subject_id not in (None, about[record_id]):
        yield Finding("I7", "a task under way about another than its record is about", f"task {task_id}")


def exchanged(facts: Facts) -> Iterator[Finding]:
    """I1, I2, I7: the newest version of each record the nation collects has its one final answer, and so has the last
    time that its link was lost or found."""
    newest = links.newest([at for at, one in facts.linked.items() if facts.national.get(one.item)])
    for record_id, version in newest.items():
        ends = Counter(one.number for one in facts.exchanges.get(record_id, ()) if one.final)
        if not ends[version + links.pushed_with(facts, record_id)]:
            yield Finding("I1", "no final answer of the national platform", _version(record_id, version))
        if any(n > 1 for n in ends.values()):
            yield Finding("I2", "two final answers of the national platform", _version(record_id, version))
    for record_id in facts.exchanges.keys() - newest.keys():
        yield Finding("I2", "exchanged, but not a record the nation collects", f"record {record_id.hex()}")


def all_of(facts: Facts, in_review: Collection[Version], parked: Collection[tuple[str, int, int]]) -> list[Finding]:
    """Every rule of the topics."""
    return [
        *facts.findings,
        *answered(facts, parked),
        *accepted(facts),
        *linked(facts, in_review),
        *links.changed(facts, in_review),
        *fed(facts),
        *tasks(facts),
        *exchanged(facts),
    ]


def _version(record_id: bytes, version: int) -> str:
    return f"record {record_id.hex()} v{version}"
