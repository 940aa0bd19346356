"""What can be seen of this run from outside: topics read from where they ended before it, repeats dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from deploy.local.layout import Layout
from services.cli.demo.agencies import AGENCIES
from services.cli.outsider import Offsets, Reader, Registry

LINKED = "credit.identity.record.v1"
SUBJECTS = "credit.identity.subject.v1"
PUBLIC = "credit.disclosure.public-change.v1"
GOVERNMENT = "credit.disclosure.government-change.v1"
EXCHANGE = "credit.national-sync.exchange.v1"
SUBMIT = [f"credit.submit.{code}.v1" for code in AGENCIES]
RECEIPTS = [f"credit.receipts.{code}.v1" for code in AGENCIES]
TASKS = [f"credit.sanctions.task.{code}.v1" for code in AGENCIES]
WATCHED = [*RECEIPTS, LINKED, SUBJECTS, PUBLIC, GOVERNMENT, EXCHANGE, *TASKS]

FINAL = ("ACKNOWLEDGED", "REFUSED")
VersionId = tuple[bytes, int]  # record id, version


class Receipt(NamedTuple):
    """A final answer."""

    agency: str
    outcome: str
    codes: frozenset[str]
    item: str
    record_id: bytes
    faults: tuple[dict[str, str], ...]
    received_ms: int
    answered_ms: int


class Linked(NamedTuple):
    """A version that identity has linked."""

    item: str
    action: str
    disclosure: str
    subject_id: bytes


class Change(NamedTuple):
    """A line of a feed; `at_ms` is when the broker had it."""

    change: str
    subject_id: bytes
    subject_seq: int
    at_ms: int


class Task(NamedTuple):
    """A task as its department sees it now; `version` 0: told before tasks were counted."""

    version: int
    change: str
    department: str
    record_id: bytes


class Exchanged(NamedTuple):
    """Where the exchange of a version stands; of several the greatest is the latest, in whatever order they came."""

    number: int  # of the push: the version, and the link that it was pushed with
    final: bool
    attempt: int
    answered: bool
    state: str
    version: int


def exchanged(version: int, attempt: int, state: str, link_no: int = 0) -> Exchanged:
    """Four lanes tell of one exchange (record, link, answer, timer). A final answer may be to an earlier attempt."""
    return Exchanged(version + link_no, state in FINAL, attempt, state != "PENDING", state, version)


@dataclass
class Seen:
    """Everything read so far."""

    receipts: dict[str, list[Receipt]] = field(default_factory=dict[str, list[Receipt]])
    waiting: int = 0
    linked: dict[VersionId, Linked] = field(default_factory=dict[VersionId, Linked])
    twice: int = 0  # the same fact said twice with different positions: must stay 0
    subjects: set[bytes] = field(default_factory=set[bytes])
    changes: dict[str, dict[VersionId, Change]] = field(
        default_factory=lambda: dict[str, dict[VersionId, Change]]({PUBLIC: {}, GOVERNMENT: {}})
    )
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    refused_feedback: int = 0
    exchanges: dict[bytes, Exchanged] = field(default_factory=dict[bytes, Exchanged])
    acknowledged: dict[bytes, int] = field(default_factory=dict[bytes, int])

    def hear_task(self, record: Mapping[str, Any]) -> None:
        """Take in a change of a task, or pass it over: another lane may have told what came after it before."""
        if record["change"] == "FEEDBACK_REFUSED":
            self.refused_feedback += 1
            return
        known, version = self.tasks.get(record["task_id"]), record.get("task_version") or 0
        if known is None or version >= known.version:
            record_id = record["record_id"] or (known.record_id if known else b"")
            self.tasks[record["task_id"]] = Task(version, record["change"], record["department"], record_id)

    def hear_exchange(self, record: Mapping[str, Any]) -> None:
        """Take in where an exchange stands; several lanes tell of it, in no order."""
        exchange_id, version = record["exchange_id"], record["version"]
        now = exchanged(version, record["attempt"], record["state"], record.get("link_no") or 0)
        self.exchanges[exchange_id] = max(now, self.exchanges.get(exchange_id, now))
        if record["state"] == "ACKNOWLEDGED":
            self.acknowledged[exchange_id] = max(version, self.acknowledged.get(exchange_id, 0))


class Observer:
    """Reads as the operator; `look` takes in what has come since."""

    def __init__(self, layout: Layout, registry: Registry) -> None:
        self._registry = registry
        self._reader = Reader(layout)
        self._since: Offsets = self._reader.ends(WATCHED)
        self._begin = self._reader.ends(SUBMIT)
        self._heard: dict[tuple[str, int, bytes], int] = {}
        self.seen = Seen()

    def submitted(self) -> int:
        """Messages on the submit topics since the run began."""
        ends = self._reader.ends(SUBMIT)
        return sum(end - self._begin.get(place, 0) for place, end in ends.items())

    def look(self, topics: Iterable[str] = WATCHED) -> Seen:
        """Read to the present end."""
        for message in self._reader.read(topics, self._since):
            if not self._repeated(message):
                self._take(message.topic() or "", message)
        return self.seen

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()

    def _repeated(self, message: Any) -> bool:
        """As every consumer does: at or below the highest position heard from this origin on this partition."""
        headers: dict[str, bytes] = dict(message.headers() or ())
        place: tuple[str, int, bytes] = message.topic(), message.partition(), headers["origin"]
        position = int(headers["position"])
        if position <= self._heard.get(place, 0):
            return True
        self._heard[place] = position
        return False

    def _take(self, topic: str, message: Any) -> None:
        record, at_ms = self._registry.decode(message.value()), message.timestamp()[1]
        if topic in RECEIPTS:
            self._receipt(topic, record, at_ms)
        elif topic == LINKED:
            self._linked(record)
        elif topic == SUBJECTS:
            self.seen.subjects.add(record["subject_id"])
        elif topic in (PUBLIC, GOVERNMENT):
            self._change(topic, record, at_ms)
        elif topic == EXCHANGE:
            self.seen.hear_exchange(record)
        else:
            self.seen.hear_task(record)

    def _receipt(self, topic: str, record: dict[str, Any], at_ms: int) -> None:
        if record["outcome"] == "WAITING":
            self.seen.waiting += 1
            return
        faults = tuple(record["faults"])
        receipt = Receipt(
            topic.removeprefix("credit.receipts.").removesuffix(".v1"),
            record["outcome"],
            frozenset(fault["code"] for fault in faults),
            record["item"],
            bytes.fromhex(record["record_id"] or ""),
            faults,
            _ms(record["received_at"]),
            at_ms,
        )
        # Bytes without a readable submission_id are answered by place; their key tells them apart as well.
        name = record["submission_id"] if "/" not in record["submission_id"] else f"{topic} {record['record_no']}"
        self.seen.receipts.setdefault(name, []).append(receipt)

    def _linked(self, record: dict[str, Any]) -> None:
        at = record["record_id"], record["version"]
        self.seen.twice += at in self.seen.linked
        self.seen.linked[at] = Linked(record["item"], record["action"], record["disclosure"], record["subject_id"])

    def _change(self, topic: str, record: dict[str, Any], at_ms: int) -> None:
        at = record["record_id"], record["version"]
        self.seen.twice += at in self.seen.changes[topic]
        change = Change(record["change"], record["subject_id"], record["subject_seq"], at_ms)
        self.seen.changes[topic][at] = change


def _ms(moment: Any) -> int:
    return round(moment.timestamp() * 1000)
