"""What must hold in the end: topics and stores against the model, and against each other.

In liveness mode everything must be there; in safety mode nothing that is there may be wrong.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.sim.broker import Entry
from tests.sim.model import Model, Version, expected
from tests.sim.shared import shared

FINAL = ("ACCEPTED", "DUPLICATE", "REFUSED")
NATIONAL = ("org-penalty", "code-mapping")
PUBLIC = ("enterprise-registration", "org-penalty", "court-defaulter")
FEEDS = {"public": PUBLIC, "government": (*PUBLIC, "code-mapping")}
RECORD, LINKED = "credit.ingestion.record.v1", "credit.identity.record.v1"


# --- whether everything has come to rest ---------------------------------------------------------------------------


def unfinished(world: Any) -> str:
    """What is still under way; empty when everything has come to rest."""
    for process in world.processes:
        if process.owner is None or process.owner.state != "alive":
            return f"{process.name} is down"
    for name, database in world.databases.items():
        if left := _behind(world, name) or next(
            (f"{t} of {name}" for t in ("parked", "timers") if database.tables[t]), ""
        ):
            return left
    states = {row["state"] for row in world.databases["national_sync"].tables["exchanges"].values()}
    return "exchanges are waiting" if states & {"PENDING", "RETRYING"} else ""


def _behind(world: Any, name: str) -> str:
    """The first lane that is not at the end of its partition."""
    read = world.broker.groups[
        name.replace("_", "-")
    ].subscribed()  # not what is assigned: a lane nobody has is behind too
    lanes = world.databases[name].tables["lanes"]
    for place in sorted(read):
        lane, end = lanes.get(tuple(place)), world.broker.last(place) + 1
        if lane is None or lane["next_offset"] < end:
            return f"{name} is at {lane and lane['next_offset']} of {end} in {place.topic}/{place.partition}"
        if lane["published"] < lane["position"]:
            return f"{name} has published {lane['published']} of {lane['position']} for {place.topic}/{place.partition}"
    return "" if read else f"{name} has no lanes"


def release_parked(world: Any) -> None:
    """The operator releases whatever is parked, once the fixed version runs."""
    for name, database in world.databases.items():
        for (topic, partition, offset), row in sorted(database.tables["parked"].items()):
            if row["released_at"] is None and row["code"] != "BEHIND_PARKED":
                # Its own key, as the command line has it: under the parked one the command itself would be parked.
                place = f"{topic}/{partition}/{offset}"
                where = {"topic": topic, "partition": partition, "offset": offset}
                world.command(name, "release_parked", place.encode(), f"release-{place}", json.dumps(where))


# --- what outsiders see --------------------------------------------------------------------------------------------


def heard(world: Any, topic: str) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """A topic as every consumer takes it: repeats dropped by origin and position, decoded."""
    for log in world.broker.topics[topic]:
        highest: dict[bytes, int] = defaultdict(int)
        for entry in filter(None, log):
            headers = dict(entry.headers)
            origin, position = headers["origin"], int(headers["position"])
            if position > highest[origin]:
                highest[origin] = position
                yield entry, shared().schemas.decode(entry.value or b"")[1]


class Judge:
    """Judges one world; the first thing that is wrong goes to its watch."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._all = bool(world.liveness)
        self._model: Model = expected(one for log in world.sent.values() for one in log)

    def _same(self, what: str, found: Counter[Any], wanted: Counter[Any]) -> None:
        """Nothing too much; with liveness nothing missing either."""
        for kind, difference in (("too much", found - wanted), ("missing", wanted - found)):
            if difference and (kind == "too much" or self._all):
                first = min(difference, key=repr)
                self._world.watch.object(f"{what}: {kind}: {first!r}")

    def all(self) -> None:
        """Every check, in the order of the road."""
        self._receipts()
        self._accepted()
        if self._all:
            self._positions()
        linked = self._linked()
        self._feeds(linked)
        if self._all:
            self._stores(linked)
            self._tasks(linked)
            self._nation(linked)

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
        consumer passes the older one over, as if it had been superseded in review.
        """
        accepted = {(v.record_id, v.version): v for v in self._model.accepted()}
        last: dict[bytes, dict[bytes, int]] = defaultdict(lambda: defaultdict(int))
        newest: dict[bytes, int] = defaultdict(int)
        found: Counter[Any] = Counter()
        subjects: dict[bytes, list[Version]] = defaultdict(list)
        for entry, record in heard(self._world, LINKED):
            self._in_order(LINKED, record, last[dict(entry.headers)["origin"]])
            key = record["record_id"], record["version"]
            found[key] += 1
            if key in accepted and record["version"] > newest[record["record_id"]]:
                newest[record["record_id"]] = record["version"]
                subjects[record["subject_id"]].append(accepted[key])
        held = self._world.databases["identity"].tables["reviews"]
        waiting = Counter(key for key, row in held.items() if row["state"] in ("WAITING", "SUPERSEDED"))
        self._same("I7 linked or in review", found + waiting if self._all else found, Counter(accepted.keys()))
        self._never_held(found)
        return subjects

    def _never_held(self, found: Counter[Any]) -> None:
        """A record that names its subject by USCC has nothing to wait for; an old code only until it is mapped."""
        mapped = {v.sent.organisation.uscc for v in self._model.accepted() if v.sent.item == "code-mapping"}
        for v in self._model.accepted() if self._all else ():
            sure = v.sent.by == "uscc" or v.sent.organisation.uscc in mapped
            if sure and v.version == self._newest(v) and not found[v.record_id, v.version]:
                self._world.watch.object(f"I1 version {v.version} of {v.record_id.hex()} was never linked")

    def _newest(self, version: Version) -> int:
        sent = version.sent
        return self._model.stories[sent.agency, sent.item, sent.record_no].versions[-1].version

    # --- disclosure, sanctions, national_sync ---------------------------------------------------------------------

    def _feeds(self, linked: dict[bytes, list[Version]]) -> None:
        for feed, items in FEEDS.items():
            topic = f"credit.disclosure.{feed}-change.v1"
            shown: dict[bytes, set[bytes]] = defaultdict(set)
            sequence: dict[bytes, int] = defaultdict(int)
            for _, change in heard(self._world, topic):
                subject = change["subject_id"]
                sequence[subject] += 1
                if change["subject_seq"] != sequence[subject]:
                    self._world.watch.object(
                        f"I3 {topic}: {subject.hex()} has {change['subject_seq']} after {sequence[subject] - 1}"
                    )
                _apply(shown[subject], change)
            wanted = {
                s: {v.record_id for v in _standing(versions) if v.sent.item in items} for s, versions in linked.items()
            }
            if self._all:
                self._same(topic, _pairs(shown), _pairs(wanted))

    def _stores(self, linked: dict[bytes, list[Version]]) -> None:
        rows = self._world.databases["disclosure"].tables["disclosed_records"].values()
        found = Counter((r["subject_id"], r["record_id"], r["version"]) for r in rows if r["in_public"])
        wanted = Counter(
            (s, v.record_id, v.version) for s, vs in linked.items() for v in _standing(vs) if v.sent.item in PUBLIC
        )
        self._same("I7 disclosed records", found, wanted)
        records = self._world.databases["ingestion"].tables["records"].values()
        found = Counter((r["record_id"], r["version"], r["withdrawn"]) for r in records)
        stories = [story for story in self._model.stories.values() if story.versions]
        wanted = Counter((*story.versions[-1][:2], story.withdrawn) for story in stories)
        self._same("I7 records", found, wanted)

    def _tasks(self, linked: dict[bytes, list[Version]]) -> None:
        """As each department was told it: of every task what has the highest version, in whatever order it came."""
        told: dict[str, tuple[bytes, str]] = {}
        said: dict[str, dict[int, str]] = defaultdict(dict)
        for topic in self._world.broker.topics:
            if topic.startswith("credit.sanctions.task."):
                for _, task in heard(self._world, topic):
                    version, change = task["task_version"], task["change"]
                    if said[task["task_id"]].setdefault(version, change) != change:
                        self._world.watch.object(f"I3 version {version} of task {task['task_id']} is {change} too")
                    if version == max(said[task["task_id"]]):
                        told[task["task_id"]] = task["record_id"], change
        listed = {v.record_id for vs in linked.values() for v in _standing(vs) if v.sent.item == "court-defaulter"}
        for task_id, (record, change) in sorted(told.items()):
            if (change == "OPENED") != (record in listed):
                self._world.watch.object(f"I7 task {task_id} was last told as {change}")
        self._owed(told, listed)

    def _owed(self, told: dict[str, tuple[bytes, str]], listed: set[bytes]) -> None:
        tasks = self._world.databases["sanctions"].tables["tasks"]
        departments = self._world.databases["sanctions"].tables["departments"]
        owed = Counter(i for i, t in tasks.items() if t["department"] in departments and t["status"] == "OPENED")
        opened = Counter(i for i, (_, change) in told.items() if change == "OPENED")
        self._same("I7 open tasks", opened, owed)
        reached = {t["record_id"] for t in tasks.values() if t["status"] == "OPENED"}
        self._same("I7 listings with tasks", Counter(reached), Counter(listed))

    def _nation(self, linked: dict[bytes, list[Version]]) -> None:
        held = {record for record, (_, action) in self._world.platform.held.items() if action == "put"}
        wanted = {v.record_id.hex() for vs in linked.values() for v in _standing(vs) if v.sent.item in NATIONAL}
        self._same("I7 records at the national platform", Counter(held), Counter(wanted))
        told: dict[bytes, tuple[Any, ...]] = {}
        for _, said in heard(self._world, "credit.national-sync.exchange.v1"):
            exchange_id, version, attempt, state = (said[n] for n in ("exchange_id", "version", "attempt", "state"))
            # Three lanes tell of one exchange in no order; a final answer may be the one to an earlier attempt.
            at = (version, state in ("ACKNOWLEDGED", "REFUSED"), attempt, state != "PENDING", state)
            told[exchange_id] = max(at, told.get(exchange_id, at))
        rows = self._world.databases["national_sync"].tables["exchanges"].values()
        stands = Counter((row["record_id"], row["version"], row["state"]) for row in rows)
        self._same("I7 exchanges", Counter((i, at[0], at[4]) for i, at in told.items()), stands)


def _apply(shown: set[bytes], change: dict[str, Any]) -> None:
    if change["change"] == "WITHDRAWN":
        shown.discard(change["record_id"])
    else:
        shown.add(change["record_id"])


def _standing(versions: list[Version]) -> list[Version]:
    """The newest of each record, where it is not withdrawn."""
    newest = {v.record_id: v for v in sorted(versions, key=lambda v: v.version)}
    return [v for v in newest.values() if v.sent.action != "withdraw"]


def _pairs(sets: dict[bytes, set[bytes]]) -> Counter[Any]:
    return Counter((subject, record) for subject, records in sets.items() for record in records)


def judge(world: Any) -> None:
    """Judge a world; its watch hears of the first thing that is wrong."""
    Judge(world).all()
