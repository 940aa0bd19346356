"""What the topics say, folded message by message; imports nothing of the product, so it cannot share its faults."""

from __future__ import annotations

import json
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.heard import (
    CATALOGUE,
    EXCHANGE,
    FEEDS,
    GOVERNMENT,
    LINK,
    LINKED,
    PUBLIC,
    RECORD,
    SUBJECT,
    Change,
    Exchange,
    Finding,
    Heard,
    Linked,
    LinkTold,
    Receipt,
    Submitted,
    TaskTold,
    Version,
)
from tests.chaos.positions import Origins, Positions

# From outside, or told by a gateway, which owns no lane; and every command topic.
NO_ORIGIN = ("credit.submit.", "credit.feedback.", "credit.national-sync.answer.")
SAYS_WHAT_IT_WAS = ("item", "agency", "subject_code", "subject_name", "fields_changed", "before", "after")
ENDS = ("ACKNOWLEDGED", "REFUSED")  # of an exchange
FINAL = frozenset({"ACCEPTED", "DUPLICATE", "REFUSED"})


@dataclass
class Facts:
    """Everything heard so far, repeats dropped as every consumer drops them."""

    submitted: list[Submitted] = field(default_factory=list[Submitted])
    receipts: dict[tuple[str, str], list[Receipt]] = field(default_factory=lambda: defaultdict(list))
    waiting: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    accepted: dict[Version, tuple[str, str]] = field(default_factory=dict[Version, tuple[str, str]])
    linked: dict[Version, Linked] = field(default_factory=dict[Version, Linked])
    times: Counter[Version] = field(default_factory=Counter[Version])  # how often each was told as linked
    versions_of: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))  # that were linked
    links: dict[bytes, list[LinkTold]] = field(default_factory=dict[bytes, list[LinkTold]])
    told_of: dict[bytes, list[Version]] = field(default_factory=lambda: defaultdict(list))
    feeds: dict[str, dict[bytes, list[Change]]] = field(
        default_factory=lambda: {name: defaultdict(list) for name in FEEDS}
    )
    tasks: dict[str, list[TaskTold]] = field(default_factory=lambda: defaultdict(list))  # by version
    task_of: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    exchanges: dict[bytes, list[Exchange]] = field(default_factory=lambda: defaultdict(list))
    national: dict[str, bool] = field(default_factory=dict[str, bool])
    subject_versions: dict[bytes, int] = field(default_factory=dict[bytes, int])
    merged: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])  # subject -> who stands for it
    erased: set[bytes] = field(default_factory=set[bytes])  # persons of whom nothing may be shown any more
    origins: Origins = field(default_factory=lambda: defaultdict(lambda: defaultdict(Positions)))
    out_of_order: int = 0  # of the subject topic, see _subject
    codes: set[str] = field(default_factory=set[str])
    repeats: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def hear(self, heard: Heard) -> None:
        """Take in one message; what is wrong with it alone is found here, the rest by the rules."""
        if heard.topic.startswith("credit.submit."):
            self._submitted(heard)
        elif not heard.topic.startswith(NO_ORIGIN) and ".command." not in heard.topic and self._is_new(heard):
            take = _TAKERS.get(heard.topic) or (
                Facts._receipt
                if heard.topic.startswith("credit.receipts.")
                else Facts._task
                if heard.topic.startswith("credit.sanctions.task.")
                else None
            )
            if take is not None and heard.record is not None:
                take(self, heard, heard.record)

    def _is_new(self, heard: Heard) -> bool:
        origin, position = heard.headers.get("origin"), heard.headers.get("position")
        where = f"{heard.topic}/{heard.partition}/{heard.offset}"
        if origin is None or position is None:
            self.findings.append(Finding("I3", "said without origin and position", where))
            return True
        place = heard.topic, heard.partition
        verdict = self.origins[origin.decode()][place].hear(int(position), heard.digest)
        if verdict:
            self.findings.append(Finding("I3", verdict, f"{where} of {origin.decode()} position {int(position)}"))
        self.repeats += verdict is not None
        return verdict is None

    def _submitted(self, heard: Heard) -> None:
        record = heard.record or {}
        name = record.get("submission_id")
        self.submitted.append(
            Submitted(_sender(heard.topic), heard.partition, heard.offset, heard.key, name if name else None)
        )
        if len(code := str(record.get("subject_code", ""))) >= 15:
            self.codes.add(code)

    def _receipt(self, heard: Heard, record: dict[str, Any]) -> None:
        name = _sender(heard.topic), str(record["submission_id"])
        if record["outcome"] not in FINAL:
            self.waiting.add(name)
            return
        codes = tuple(str(fault["code"]) for fault in record["faults"])
        receipt = Receipt(record["outcome"], record["record_id"], codes, heard.partition, heard.key)
        self.receipts[name].append(receipt)

    def _once(self, known: object, version: Version, topic: str) -> None:
        if known is not None:
            self.findings.append(Finding("I2", f"told twice on {topic}", f"record {version[0].hex()} v{version[1]}"))

    def _accepted(self, heard: Heard, record: dict[str, Any]) -> None:
        at = record["record_id"], record["version"]
        self._once(self.accepted.get(at), at, heard.topic)
        self.accepted[at] = record["agency"], record["submission_id"]

    def _linked(self, heard: Heard, record: dict[str, Any]) -> None:
        """One that comes back after its link was lost is told anew: how often it may be is for the rules."""
        at = record["record_id"], record["version"]
        self.times[at] += 1
        self.linked[at] = Linked(record["subject_id"], record["item"], record["disclosure"], record["action"])
        self.versions_of[at[0]].append(at[1])
        self.told_of[record["subject_id"]].append(at)

    def _link(self, heard: Heard, record: dict[str, Any]) -> None:
        """`record` in it, if a version is told again, is that version decoded (reading.py); empty if it cannot be."""
        inside = record["record"]
        again = 0 if inside is None else inside.get("version", -1)
        told = LinkTold(record["link_no"], record["subject_id"], record["linked"], again)
        self.links.setdefault(record["record_id"], []).append(told)

    def _subject(self, heard: Heard, record: dict[str, Any]) -> None:
        """Changes of one subject may be decided in several lanes, so the topic may show them out of order: counted."""
        if record.get("change") == "ERASED":
            self.erased.add(record["subject_id"])
            return
        before, now = self.subject_versions.get(record["subject_id"], 0), record["subject_version"]
        self.out_of_order += now < before
        if now >= before:
            self._stands_for(record["subject_id"], record.get("merged_into"))
        self.subject_versions[record["subject_id"]] = max(now, before)

    def _stands_for(self, subject_id: bytes, into: bytes | None) -> None:
        if into is None:
            self.merged.pop(subject_id, None)
        else:
            self.merged[subject_id] = into

    def _change(self, heard: Heard, record: dict[str, Any]) -> None:
        feed = "public" if heard.topic == PUBLIC else "government"
        change = Change((record["record_id"], record["version"]), record["subject_seq"], record["change"])
        self.feeds[feed][record["subject_id"]].append(change)
        if record.get("reason") == "SUBJECT_ERASED" and any(record[name] for name in SAYS_WHAT_IT_WAS):
            where = f"record {record['record_id'].hex()} v{record['version']}"
            self.findings.append(Finding("I7", f"said again on the {feed} feed of somebody who was erased", where))

    def _task(self, heard: Heard, record: dict[str, Any]) -> None:
        """Lanes tell of one task in no order: it stands by its versions. A refusal says nothing of how it stands."""
        if record["change"] == "FEEDBACK_REFUSED":
            return
        told = TaskTold(record.get("task_version") or 0, record["change"], record.get("subject_id"))
        insort(self.tasks[record["task_id"]], told, key=lambda one: one.version)  # behind those of the same version
        if record["change"] == "OPENED":
            self.task_of[record["task_id"]] = record["department"], record["record_id"]

    def _exchange(self, heard: Heard, record: dict[str, Any]) -> None:
        state: str = record["state"]
        number = record["version"] + (record.get("link_no") or 0)
        attempt = record["attempt"]
        told = Exchange(number, state in ENDS, attempt, state != "PENDING", state, record["version"])
        self.exchanges[record["exchange_id"]].append(told)

    def _item(self, heard: Heard, record: dict[str, Any]) -> None:
        self.national[record["code"]] = bool(json.loads(record["definition"]).get("national"))


# pyright: reportPrivateUsage=false
_TAKERS: dict[str, Callable[[Facts, Heard, dict[str, Any]], None]] = {
    RECORD: Facts._accepted,
    LINKED: Facts._linked,
    LINK: Facts._link,
    SUBJECT: Facts._subject,
    PUBLIC: Facts._change,
    GOVERNMENT: Facts._change,
    EXCHANGE: Facts._exchange,
    CATALOGUE: Facts._item,
}


def _sender(topic: str) -> str:
    """The agency of `credit.<what>.<agency>.v1`."""
    return topic.split(".")[2]
