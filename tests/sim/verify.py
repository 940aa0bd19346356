"""What must hold in the end: topics and stores against the model, and against each other.

In liveness mode everything must be there; in safety mode nothing that is there may be wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from tests.sim.downstream import Downstream
from tests.sim.hearing import heard, same
from tests.sim.model import Model, Version, expected

FINAL = ("ACCEPTED", "DUPLICATE", "REFUSED")
RECORD, LINKED = "credit.ingestion.record.v1", "credit.identity.record.v1"
LINK = "credit.identity.link.v1"


class Link(NamedTuple):
    """Whom a record is about, by the highest number."""

    link_no: int
    subject_id: bytes
    linked: bool


def newest_links(world: Any) -> dict[bytes, Link]:
    """Of each record whose link changed without a new version."""
    found: dict[bytes, Link] = {}
    for _, told in heard(world, LINK):
        link = Link(told["link_no"], told["subject_id"], told["linked"])
        found[told["record_id"]] = max(link, found.get(told["record_id"], link))
    return found


class Judge:
    """Judges one world; the first thing that is wrong goes to its watch."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._all = bool(world.liveness)
        self._model: Model = expected(one for log in world.sent.values() for one in log)

    def _same(self, what: str, found: Counter[Any], wanted: Counter[Any]) -> None:
        same(self._world.watch, what, found, wanted, self._all)

    def all(self) -> None:
        """Every check, in the order of the road."""
        self._receipts()
        self._accepted()
        if self._all:
            self._positions()
        Downstream(self._world, self._model, self._all).all(self._linked())

    def _receipts(self) -> None:
        found: Counter[Any] = Counter()
        for topic in self._world.broker.topics:
            if topic.startswith("credit.receipts."):
                for _, receipt in heard(self._world, topic):
                    if receipt["outcome"] in FINAL:
                        codes = [fault["code"] for fault in receipt["faults"]]
                        code = codes[0] if receipt["outcome"] == "REFUSED" else ""
                        found[receipt["submission_id"], receipt["outcome"], code] += 1
        self._same("I1 receipts", found, Counter(map(tuple, self._model.answers)))

    def _accepted(self) -> None:
        found: Counter[Any] = Counter()
        last: dict[bytes, int] = defaultdict(int)
        for _, record in heard(self._world, RECORD):
            self._in_order(RECORD, record, last)
            found[record["record_id"], record["version"], record["action"], record["submission_id"]] += 1
        wanted = Counter((v.record_id, v.version, v.sent.action, v.sent.submission_id) for v in self._model.accepted())
        self._same("I1 accepted records", found, wanted)

    def _in_order(self, topic: str, record: dict[str, Any], last: dict[bytes, int]) -> None:
        if record["version"] <= last[record["record_id"]]:
            self._world.watch.object(
                f"I3 {topic}: version {record['version']} of {record['record_id'].hex()} is out of order"
            )
        last[record["record_id"]] = record["version"]

    def _positions(self) -> None:
        """What a lane says it has said is on the topics, without a gap."""
        for name, database in self._world.databases.items():
            for (topic, partition), lane in database.tables["lanes"].items():
                origin = f"{name}/1/{topic}/{partition}"
                missing = [n for n in range(1, lane["position"] + 1) if (origin, n) not in self._world.watch.said]
                if missing:
                    self._world.watch.object(f"I1 position {missing[0]} of {origin} was committed and never published")

    def _linked(self) -> dict[bytes, list[Version]]:
        """Records by subject as identity told them; each version once, those that one lane says in order.

        A mapping releases a version from its own lane, and the next version may be on the topic before it. Then every
        consumer passes the older one over, as if it had been superseded in review. Whose link changed without a new
        version is whose the highest link number says; such a version may be told again.
        """
        links = newest_links(self._world)
        accepted = {(v.record_id, v.version): v for v in self._model.accepted()}
        last: dict[bytes, dict[bytes, int]] = defaultdict(lambda: defaultdict(int))
        newest: dict[bytes, int] = defaultdict(int)
        found: Counter[Any] = Counter()
        subjects: dict[bytes, list[Version]] = defaultdict(list)
        for entry, record in heard(self._world, LINKED):
            if record["record_id"] not in links:
                self._in_order(LINKED, record, last[dict(entry.headers)["origin"]])
            key = record["record_id"], record["version"]
            found[key] = 1 if record["record_id"] in links else found[key] + 1
            if key in accepted and record["version"] > newest[record["record_id"]]:
                newest[record["record_id"]] = record["version"]
                subjects[record["subject_id"]].append(accepted[key])
        held = self._world.databases["identity"].tables["reviews"]
        waiting = Counter(
            key for key, row in held.items() if row["state"] in ("WAITING", "SUPERSEDED") and not found[key]
        )
        self._same("I7 linked or in review", found + waiting if self._all else found, Counter(accepted.keys()))
        self._never_held(found)
        if self._all:
            self._as_stored(newest, links, subjects)
        return self._moved(subjects, links)

    def _as_stored(self, newest: dict[bytes, int], links: dict[bytes, Link], told: dict[bytes, list[Version]]) -> None:
        """Whose a record is in identity's store, is what was told of it last: no move is forgotten."""
        tables = self._world.databases["identity"].tables
        last = {v.record_id: s for s, versions in told.items() for v in versions if v.version == newest[v.record_id]}
        last |= {record_id: link.subject_id for record_id, link in links.items() if link.linked}
        last = {r: s for r, s in last.items() if r not in links or links[r].linked}
        found: Counter[Any] = Counter()
        for record_id, row in tables["record_links"].items():
            subject_id = row["subject_id"]
            while (into := tables["subjects"][subject_id]["merged_into"]) is not None:
                subject_id = into
            found[record_id, subject_id] += 1
        self._same("I7 links as told", found, Counter(last.items()))

    def _moved(self, subjects: dict[bytes, list[Version]], links: dict[bytes, Link]) -> dict[bytes, list[Version]]:
        """The same with each record under the subject that its link says, if it changed; without what is nobody's."""
        for versions in list(subjects.values()):
            for version in [one for one in versions if one.record_id in links]:
                versions.remove(version)
                link = links[version.record_id]
                if link.linked:
                    subjects[link.subject_id].append(version)
        return subjects

    def _never_held(self, found: Counter[Any]) -> None:
        """A record that names its subject by USCC has nothing to wait for; an old code only until it is mapped."""
        mapped = {v.sent.organisation.uscc for v in self._model.standing("code-mapping")}
        for v in self._model.accepted() if self._all else ():
            sure = v.sent.by == "uscc" or v.sent.organisation.uscc in mapped
            if sure and v.version == self._newest(v) and not found[v.record_id, v.version]:
                self._world.watch.object(f"I1 version {v.version} of {v.record_id.hex()} was never linked")

    def _newest(self, version: Version) -> int:
        sent = version.sent
        return self._model.stories[sent.agency, sent.item, sent.record_no].versions[-1].version


def judge(world: Any) -> None:
    """Judge a world; its watch hears of the first thing that is wrong."""
    Judge(world).all()
