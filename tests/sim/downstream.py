"""What must hold in the end behind identity: feeds, stores, tasks and the nation, against what identity linked."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tests.sim.hearing import heard, same
from tests.sim.model import Model, Version

NATIONAL = ("org-penalty", "code-mapping")
PUBLIC = ("enterprise-registration", "org-penalty", "court-defaulter")
FEEDS = {"public": PUBLIC, "government": (*PUBLIC, "code-mapping")}
UNDER_WAY = ("OPENED", "CLOSED")
LINKS = dict[bytes, list[Version]]


def _moving(world: Any) -> set[bytes]:
    """The subjects that records have moved to or from, and who was erased: two lanes tell of each."""
    links = [told for _, told in heard(world, "credit.identity.link.v1")]
    moved = {told["record_id"] for told in links}
    told = [record for _, record in heard(world, "credit.identity.record.v1") if record["record_id"] in moved]
    return {each["subject_id"] for each in (*links, *told)} | _erased(world)


def _erased(world: Any) -> set[bytes]:
    """Persons of whom nothing may be shown any more; their cards' lane tells of it."""
    told = [subject for _, subject in heard(world, "credit.identity.subject.v1")]
    return {each["subject_id"] for each in told if each["change"] == "ERASED"}


class Downstream:
    """Judges one world; `complete`: everything must be there, not only nothing wrong."""

    def __init__(self, world: Any, model: Model, complete: bool) -> None:
        self._world, self._model, self._all = world, model, complete
        self._moving = _moving(world)

    def _same(self, what: str, found: Counter[Any], wanted: Counter[Any]) -> None:
        same(self._world.watch, what, found, wanted, self._all)

    def all(self, linked: LINKS) -> None:
        """Every check."""
        shown = {subject: versions for subject, versions in linked.items() if subject not in _erased(self._world)}
        self._feeds(shown)
        self._feedback()
        if self._all:
            self._stores(shown)
            self._tasks(linked)
            self._nation(linked)

    def _feeds(self, linked: dict[bytes, list[Version]]) -> None:
        for feed, items in FEEDS.items():
            topic = f"credit.disclosure.{feed}-change.v1"
            shown: dict[bytes, set[bytes]] = defaultdict(set)
            for subject, changes in self._lines(topic).items():
                for number, change in enumerate(changes, 1):
                    if change["subject_seq"] != number and (self._all or subject not in self._moving):
                        self._world.watch.object(
                            f"I3 {topic}: {subject.hex()} has {change['subject_seq']} after {number - 1}"
                        )
                    _apply(shown[subject], change)
            wanted = {
                s: {v.record_id for v in _standing(versions) if v.sent.item in items} for s, versions in linked.items()
            }
            if self._all:
                self._same(topic, _pairs(shown), _pairs(wanted))

    def _lines(self, topic: str) -> dict[bytes, list[dict[str, Any]]]:
        """By subject, as they lie on the topic; of a subject whose records move, two lanes tell: by their numbers."""
        lines: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
        for _, change in heard(self._world, topic):
            lines[change["subject_id"]].append(change)
        for subject in self._moving & lines.keys():
            lines[subject].sort(key=lambda change: change["subject_seq"])
        return lines

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
                    if change == "FEEDBACK_REFUSED":
                        continue  # nothing changed
                    if said[task["task_id"]].setdefault(version, change) != change:
                        self._world.watch.object(f"I3 version {version} of task {task['task_id']} is {change} too")
                    if version == max(said[task["task_id"]]):
                        told[task["task_id"]] = task["record_id"], change
        listed = {v.record_id for vs in linked.values() for v in _standing(vs) if v.sent.item == "court-defaulter"}
        for task_id, (record, change) in sorted(told.items()):
            if (change in UNDER_WAY) != (record in listed):
                self._world.watch.object(f"I7 task {task_id} was last told as {change}")
        self._owed(told, listed)

    def _feedback(self) -> None:
        """Every feedback is answered, one that comes again as it was at first."""
        found: Counter[Any] = Counter()
        first: dict[Any, str] = {}
        for topic in self._world.broker.topics:
            for _, task in heard(self._world, topic) if topic.startswith("credit.sanctions.task.") else ():
                if (given := task["feedback_id"]) is None:
                    continue
                key = task["department"], task["task_id"], given
                found[key] += 1
                if first.setdefault(key, task["change"]) != task["change"]:
                    self._world.watch.object(f"I2 feedback {given} was answered {first[key]}, then {task['change']}")
        self._same("I1 answers to feedback", found, Counter(map(tuple, self._world.departments.sent)))

    def _owed(self, told: dict[str, tuple[bytes, str]], listed: set[bytes]) -> None:
        tasks = self._world.databases["sanctions"].tables["tasks"]
        departments = self._world.databases["sanctions"].tables["departments"]
        known = [(i, t) for i, t in tasks.items() if t["department"] in departments and t["status"] in UNDER_WAY]
        told_of = Counter((i, change) for i, (_, change) in told.items() if change in UNDER_WAY)
        self._same("I7 tasks under way", told_of, Counter((i, task["status"]) for i, task in known))
        reached = {t["record_id"] for t in tasks.values() if t["status"] in UNDER_WAY}
        self._same("I7 listings with tasks", Counter(reached), Counter(listed))

    def _nation(self, linked: LINKS) -> None:
        """The nation holds what is linked, under the codes that agencies report, and nothing of what is nobody's."""
        held = {record for record, (_, action) in self._world.platform.held.items() if action == "put"}
        wanted = {v.record_id.hex() for vs in linked.values() for v in _standing(vs) if v.sent.item in NATIONAL}
        self._same("I7 records at the national platform", Counter(held), Counter(wanted))
        told: dict[bytes, tuple[Any, ...]] = {}
        for _, said in heard(self._world, "credit.national-sync.exchange.v1"):
            exchange_id, attempt, state = (said[n] for n in ("exchange_id", "attempt", "state"))
            number = said["version"] + said["link_no"]
            # Four lanes tell of one exchange in no order; a final answer may be the one to an earlier attempt.
            at = (number, state in ("ACKNOWLEDGED", "REFUSED"), attempt, state != "PENDING", state)
            told[exchange_id] = max(at, told.get(exchange_id, at))
        rows = self._world.databases["national_sync"].tables["exchanges"].values()
        stands = Counter((r["record_id"], r["version"] + r["link_no"], r["state"]) for r in rows if r["version"])
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
