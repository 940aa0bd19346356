"""What must be true of the topics alone; each rule names the offending records. Pure, imports nothing of ours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tests.chaos import links
from tests.chaos.facts import Facts
from tests.chaos.feed_rules import fed
from tests.chaos.heard import LINKED, RECORD, Finding, Receipt, Submitted, Version, version_named
from tests.chaos.task_rules import exchanged, tasks

PUBLISHED_CODES = frozenset((Path(__file__).parent / "refusal_codes.txt").read_text().split())


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
        yield Finding("I1", f"accepted, yet neither on {LINKED} nor in review", version_named(record_id, version))
    for record_id, version in facts.linked.keys() - facts.accepted.keys():
        yield Finding("I2", "linked, but never accepted", version_named(record_id, version))
    for record_id, version in facts.linked.keys() & set(in_review):
        older = version < links.newest_version(facts, record_id)
        if not (record_id in lost and (about[record_id] is None or older)):
            yield Finding("I2", "linked and in review", version_named(record_id, version))


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
