"""What the stores say, compared with what the topics said; SQL only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos import links
from tests.chaos.facts import NO_ORIGIN, Facts
from tests.chaos.heard import FEEDS, Finding, Version
from tests.chaos.links import newest
from tests.chaos.positions import Place
from tests.chaos.reading import SERVICES, Doors, Lane, ask

STANDING = "SELECT record_id, version, withdrawn FROM {}"
QUESTIONS = {
    "records": ("ingestion", "SELECT record_id, version, withdrawn FROM records"),
    "reviews": ("identity", "SELECT record_id, version, state FROM reviews"),
    "links": ("identity", "SELECT record_id, version, subject_id FROM record_links"),
    "merged": ("identity", "SELECT subject_id, merged_into FROM subjects WHERE merged_into IS NOT NULL"),
    "standing": (
        "disclosure",
        "SELECT record_id, version, subject_id, withdrawn FROM record_standing WHERE version > 0 AND NOT nobodys",
    ),
    "shown": ("disclosure", "SELECT record_id, version, in_public, in_government FROM disclosed_records"),
    "files": ("disclosure", "SELECT subject_id, public_seq, government_seq FROM subject_files"),
    "cards": ("disclosure", "SELECT subject_id, version FROM subjects"),
    "listings": ("sanctions", "SELECT record_id FROM listings WHERE version > 0"),
    "tasks": ("sanctions", "SELECT task_id, record_id, status, version, told FROM tasks"),
    "exchanges": ("national_sync", "SELECT record_id, version, link_no, state, held FROM exchanges WHERE version > 0"),
    "audit": ("disclosure", "SELECT * FROM audit ORDER BY chain, seq"),
}
PARKED = 'SELECT topic, partition, "offset", code, detail FROM parked'
LISTING = "court-defaulter"

Stores = Mapping[str, Sequence[Any]]
ParkedAt = dict[tuple[str, int, int], str]


def read(doors: Doors) -> Stores:
    """Every question above, answered; `parked` holds (service, row)."""
    answers = ask(doors, [*QUESTIONS.values(), *((name, PARKED) for name in SERVICES)])
    parked = [(s, row) for s, rows in zip(SERVICES, answers[len(QUESTIONS) :], strict=True) for row in rows]
    return dict(zip(QUESTIONS, answers, strict=False)) | {"parked": parked}


def in_review(stores: Stores) -> set[Version]:
    """Versions that identity holds back, let be superseded, or was told by a person to reject."""
    return {(r["record_id"], r["version"]) for r in stores["reviews"] if r["state"] != "LINKED"}


def compared(facts: Facts, stores: Stores) -> Iterator[Finding]:
    """I2, I7: each store holds what the topics told, no more and no less."""
    yield from _same("ingestion.records", newest(facts.accepted), _versions(stores["records"]))
    about = links.whose(facts)
    linked = {i: version for i, version in newest(facts.linked).items() if about[i] is not None}
    yield from _same("identity.record_links", linked, _versions(stores["links"]))
    yield from _same("disclosure.record_standing", linked, _versions(stores["standing"]))
    yield from _about(facts, stores, about)
    for feed in FEEDS:
        stands, seqs = folded(facts, feed)
        yield from _same(
            f"disclosure.disclosed_records ({feed})", stands,
            _versions([row for row in stores["shown"] if row[f"in_{feed}"]]),
        )  # fmt: skip
        stored = {row["subject_id"]: row[f"{feed}_seq"] for row in stores["files"] if row[f"{feed}_seq"]}
        yield from _same(f"disclosure.subject_files ({feed})", seqs, stored, "subject")
    cards = {row["subject_id"]: row["version"] for row in stores["cards"]}
    yield from _same("disclosure.subjects", facts.subject_versions, cards, "subject")
    yield from _sanctions(facts, stores)
    yield from _national(facts, stores)


def _about(facts: Facts, stores: Stores, about: Mapping[bytes, bytes | None]) -> Iterator[Finding]:
    """A record keeps the subject that its code names; who stands for that one is whom the topics must have told."""
    merged = {row["subject_id"]: row["merged_into"] for row in stores["merged"]}
    for subject_id in merged.items() ^ facts.merged.items():
        yield Finding("I7", "merged in the store or by the topic only", f"subject {subject_id[0].hex()}")
    for row in stores["links"]:
        if about.get(row["record_id"]) not in (None, links.root(merged, row["subject_id"])):
            yield Finding("I7", "linked to another subject in the store", f"record {row['record_id'].hex()}")
    for row in stores["standing"]:
        if not row["withdrawn"] and about.get(row["record_id"]) not in (None, row["subject_id"]):
            yield Finding("I7", "disclosure has it for another subject", f"record {row['record_id'].hex()}")


def folded(facts: Facts, feed: str) -> tuple[dict[bytes, int], dict[bytes, int]]:
    """What stands at the end of a feed: record id -> version, subject id -> last subject_seq."""
    stands = {i: version for of in links.shown(facts, feed).values() for i, version in of.items()}
    return stands, {subject: max(c.subject_seq for c in changes) for subject, changes in facts.feeds[feed].items()}


def _versions(rows: Sequence[Any]) -> list[tuple[bytes, int]]:
    return [(row["record_id"], row["version"]) for row in rows]


def _same(
    where: str, told: Mapping[bytes, int], stored: Mapping[bytes, int] | Sequence[tuple[bytes, int]], of: str = "record"
) -> Iterator[Finding]:
    rows = list(stored.items()) if isinstance(stored, Mapping) else stored
    held = dict(rows)
    if len(held) != len(rows):
        twice = next(i for i, _ in rows if sum(1 for j, _ in rows if i == j) > 1)
        yield Finding("I2", f"two rows in {where}", f"{of} {twice.hex()}")
    for i in told.keys() - held.keys():
        yield Finding("I7", f"no row in {where}", f"{of} {i.hex()}")
    for i in held.keys() - told.keys():
        yield Finding("I7", f"a row in {where} that no topic told of", f"{of} {i.hex()}")
    for i in told.keys() & held.keys():
        if told[i] != held[i]:
            yield Finding("I7", f"{where} has {held[i]}, the topics have {told[i]}", f"{of} {i.hex()}")


def _sanctions(facts: Facts, stores: Stores) -> Iterator[Finding]:
    listed = {i for (i, _), one in facts.linked.items() if one.item == LISTING}
    kept = [row["record_id"] for row in stores["listings"]]
    yield from _same("sanctions.listings", dict.fromkeys(listed, 1), [(i, 1) for i in kept])
    stored = {row["task_id"]: row for row in stores["tasks"]}
    for task_id in facts.tasks.keys() - stored.keys():
        yield Finding("I7", "no row in sanctions.tasks", f"task {task_id}")
    for task_id, row in stored.items():
        told, stands = [each[:2] for each in facts.tasks.get(task_id, [])[-1:]], (row["version"], row["status"])
        if row["told"] and told != [stands]:
            yield Finding("I7", f"{stands} in sanctions.tasks, {told} on its topic", f"task {task_id}")
    each = {i: sum(row["record_id"] == i for row in stores["tasks"]) for i in kept[:1]}
    counts: dict[bytes, int] = {}
    for row in stores["tasks"]:
        counts[row["record_id"]] = counts.get(row["record_id"], 0) + 1
    for i, n in counts.items():
        if n != next(iter(each.values()), n):
            yield Finding("I7", f"{n} tasks where others have {next(iter(each.values()))}", f"record {i.hex()}")


def _national(facts: Facts, stores: Stores) -> Iterator[Finding]:
    wanted = newest({at: one for at, one in facts.linked.items() if facts.national.get(one.item)})
    yield from _same("national_sync.exchanges", wanted, _versions(stores["exchanges"]))
    about = links.whose(facts)
    for row in stores["exchanges"]:
        told = max(facts.exchanges.get(row["record_id"], ()), default=None)
        where = f"record {row['record_id'].hex()}"
        stands = row["version"] + row["link_no"], row["state"]
        if told is None or (told.number, told.state) != stands:
            yield Finding("I7", f"{stands} in the store, told was {told}", where)
        one = facts.linked.get((row["record_id"], row["version"]))
        right = one is not None and one.action != "withdraw" and about[row["record_id"]] is not None
        if row["state"] == "ACKNOWLEDGED" and row["held"] != right:
            yield Finding("I7", f"the nation is said to hold it: {row['held']}; it should: {right}", where)


def lanes(
    facts: Facts, found: Mapping[str, Mapping[Place, Lane]], ends: Mapping[Place, int],
    before: Mapping[str, Mapping[Place, Lane]],
) -> Iterator[Finding]:  # fmt: skip
    """I5: every lane has read to the end, never went back, and everything it said is on the topics."""
    for service, of in found.items():
        for at, lane in of.items():
            where = f"{service} lane {at[0]}/{at[1]}"
            if lane.next_offset != ends.get(at, lane.next_offset):
                yield Finding("I5", f"next_offset {lane.next_offset}, the topic ends at {ends[at]}", where)
            old = before.get(service, {}).get(at, Lane(-1, 0, 0))
            if lane.next_offset < old.next_offset or lane.position < old.position:
                yield Finding("I5", f"went back from {old.next_offset}, {old.position}", where)
            yield from _said(facts, service, at, lane, where)


def _said(facts: Facts, service: str, at: Place, lane: Lane, where: str) -> Iterator[Finding]:
    """The positions on all topics together are 1 … position, each once."""
    if ".command." in at[0]:
        return  # a command's events go to compacted topics too
    places = [
        places for origin, places in facts.origins.items()
        if origin.startswith(f"{service}/") and origin.endswith(f"/{at[0]}/{at[1]}")
    ]  # fmt: skip
    heard = sum(len(each.numbers) for of in places for each in of.values())
    last = max((each.numbers[-1] for of in places for each in of.values()), default=0)
    if (heard, last) != (lane.position, lane.position):
        gone = _first_gap(places, lane.position)
        yield Finding(
            "I5", f"said {lane.position} events, {heard} are on the topics; missing or doubled: {gone}", where
        )


def _first_gap(places: Sequence[Mapping[Place, Any]], position: int) -> int:
    heard = sorted(n for of in places for each in of.values() for n in each.numbers)
    return next((n for n, h in enumerate([*heard, position + 1], 1) if n != h), position)


def chained(rows: Sequence[Any]) -> Iterator[Finding]:
    """I6: each audit row holds the hash of the one before it and its own."""
    heads: dict[str, tuple[int, bytes]] = {}
    for row in rows:
        seq, last = heads.get(row["chain"], (0, bytes(32)))
        subject = row["subject_id"].hex() if row["subject_id"] is not None else None
        parts = [row["chain"], seq + 1, last.hex(), row["at_ms"], row["caller"], row["channel"], row["purpose"],
                 row["method"], subject, row["outcome"]]  # fmt: skip
        right = hashlib.sha256(json.dumps(parts, ensure_ascii=True, separators=(",", ":")).encode()).digest()
        if (row["seq"], row["prev_hash"], row["hash"]) != (seq + 1, last, right):
            yield Finding("I6", "the audit chain breaks", f"chain {row['chain']} seq {row['seq']}")
        heads[row["chain"]] = row["seq"], row["hash"]


def parked(stores: Stores) -> Iterator[Finding]:
    """What waits for an operator: not lost, but not done either."""
    for service, row in stores["parked"]:
        yield Finding(
            "I5", f"parked in {service} as {row['code']}", f"{row['topic']}/{row['partition']}/{row['offset']}"
        )


def parked_places(stores: Stores) -> set[tuple[str, int, int]]:
    """Topic, partition, offset."""
    return {(row["topic"], row["partition"], row["offset"]) for _, row in stores["parked"]}


__all__ = ["NO_ORIGIN", "chained", "compared", "in_review", "lanes", "parked", "parked_places", "read"]
