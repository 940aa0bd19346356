"""What can be seen of this run from outside: topics read from where they ended before it, repeats dropped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deploy.local.layout import Layout
from services.cli.demo.agencies import AGENCIES
from services.cli.demo.seen import EXCHANGE, GOVERNMENT, LINKED, PUBLIC, SUBJECTS, Change, Linked, Receipt, Seen
from services.cli.outsider import Offsets, Reader, Registry

SUBMIT = [f"credit.submit.{code}.v1" for code in AGENCIES]
RECEIPTS = [f"credit.receipts.{code}.v1" for code in AGENCIES]
TASKS = [f"credit.sanctions.task.{code}.v1" for code in AGENCIES]
WATCHED = [*RECEIPTS, LINKED, SUBJECTS, PUBLIC, GOVERNMENT, EXCHANGE, *TASKS]


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
