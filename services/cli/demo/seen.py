"""What was seen of this run, whatever order the lanes told it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LINKED = "credit.identity.record.v1"
SUBJECTS = "credit.identity.subject.v1"
PUBLIC = "credit.disclosure.public-change.v1"
GOVERNMENT = "credit.disclosure.government-change.v1"
EXCHANGE = "credit.national-sync.exchange.v1"

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
