"""A seeded stream of submissions: valid, invalid, repeated, corrected, withdrawn, and judgements that make tasks."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

from confluent_kafka import Message, Producer

from deploy.local.layout import Layout
from services.cli.outsider import Registry, settings
from services.cli.synthetic.changes import CORRECTED
from services.cli.synthetic.draft import Draft
from services.cli.synthetic.records import drafts, organisations
from tests.chaos.facts import Facts
from tests.chaos.heard import Finding

RATE = 200  # a second
WAVE = 40  # organisations whose records are mixed with each other
FLUSH_S = 420.0
# An agency keeps what the broker cannot take.
HELD = {"message.timeout.ms": 900_000, "enable.idempotence": True, "linger.ms": 5, "compression.type": "zstd"}


class Expected(NamedTuple):
    """How a submission must be answered."""

    outcome: str
    code: str


class Load:
    """Publishes as the practice agencies do; remembers what ought to come of each submission."""

    def __init__(self, layout: Layout, seed: int) -> None:
        self._layout, self._registry = layout, Registry(layout)
        self._mark = f"c{seed}-{time.time_ns() // 1_000_000:x}"
        self._drafts, self._spare = _endless(seed), _endless(seed + 7_919)
        self._encoders: dict[str, Any] = {}
        self._producers: dict[str, Any] = {}
        self.expected: dict[tuple[str, str], Expected] = {}
        self._answered: set[str] = set()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures: list[BaseException] = []
        self._left = False
        self._numbers = count(1)  # drawn in two threads: the flow's own and that of a fault which sends
        self._know_schemas()

    def _know_schemas(self) -> None:
        """Ask for each item's schema once: the registry lies on the database, and that may be away later."""
        unknown = {*CORRECTED, "code-mapping"}
        while unknown:
            if (draft := next(self._spare)).item in unknown:
                self.encoded(self.record(draft))
                unknown.discard(draft.item)

    def publish(self, many: int) -> None:
        """The next submissions of the stream, queued."""
        for draft in (next(self._drafts) for _ in range(many)):
            self.send(self.record(draft), draft.expect, draft.expect_code)

    def record(self, draft: Draft) -> dict[str, Any]:
        """The draft as a submission of this run."""
        names = ("agency", "item", "action", "subject_kind", "subject_code_kind", "subject_code", "subject_name")
        return {name: getattr(draft, name) for name in names} | {
            "submission_id": f"{self._mark}-{next(self._numbers)}",
            "record_no": f"{self._mark}-{draft.record_no}",
            "source_unit": "",
            "decided_on": draft.decided_on,
            "produced_at": time.time_ns() // 1_000_000,
            "payload": draft.payload,
        }

    def draft(self) -> Draft:
        """A report that must be accepted, for a fault that sends by itself; of a stream of its own."""
        found = next(d for d in self._spare if d.action == "report" and d.expect == "ACCEPTED")
        return replace(found, record_no=f"s{found.record_no}")

    def send(self, record: Mapping[str, Any], outcome: str, code: str = "", partition: int | None = None) -> None:
        """Queue one submission and note how it must be answered."""
        self.expected[record["agency"], record["submission_id"]] = Expected(outcome, code)
        self.send_again(record, partition)

    def send_again(self, record: Mapping[str, Any], partition: int | None = None) -> None:
        """Queue one submission; nothing is noted: each time it comes it may be answered otherwise."""
        topic, more = f"credit.submit.{record['agency']}.v1", {} if partition is None else {"partition": partition}
        self.send_bytes(record["agency"], topic, record["record_no"], self.encoded(record), **more)

    def encoded(self, record: Mapping[str, Any]) -> bytes:
        """The submission in the wire format, by the newest edition of its item."""
        item = record["item"]
        if item not in self._encoders:
            self._encoders[item] = self._registry.serializer(f"cn.hubei.credit.item.{item}")
        return self._encoders[item](record, f"credit.submit.{record['agency']}.v1")

    def send_bytes(self, agency: str, topic: str, key: str | bytes, value: bytes | None, **more: Any) -> None:
        """Queue any bytes as this principal; waits while the queue is full."""
        if agency not in self._producers:
            self._producers[agency] = Producer(settings(self._layout, agency) | HELD)
        door = self._producers[agency]
        while True:
            try:
                door.produce(topic, value, key, on_delivery=self._delivered, **more)
                break
            except BufferError:
                door.poll(0.1)
                if self._left:
                    return
        door.poll(0)

    def _delivered(self, error: Any, message: Message) -> None:
        if error is not None:
            self._failures.append(RuntimeError(f"{message.topic()} took a submission not: {error}"))

    @contextmanager
    def flowing(self, rate: int = RATE) -> Generator[None]:
        """Submissions flow in the background."""
        self.begin(rate)
        try:
            yield
        finally:
            self.rest()

    def begin(self, rate: int = RATE) -> None:
        """Let submissions flow until `rest`; does nothing if they do."""
        if self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(target=self._flow, args=(rate,), name="load", daemon=True)
            self._thread.start()

    def _flow(self, rate: int) -> None:
        try:
            began, sent = time.monotonic(), 0
            while not self._over.wait(0.05):
                due = min(int((time.monotonic() - began) * rate) - sent, rate)  # what a stall left is not caught up
                self.publish(due)
                sent = max(sent + due, int((time.monotonic() - began) * rate) - rate)
        except BaseException as error:  # noqa: BLE001 - raised again in `rest`, in the runner's own thread
            self._failures.append(error)

    def rest(self) -> None:
        """Stop the stream; returns when the broker has everything. Raises what went wrong meanwhile."""
        if self._thread is not None:
            self._over.set()
            self._thread.join()
            self._thread = None
        left = sum(door.flush(FLUSH_S) for door in self._producers.values())
        if left:
            raise RuntimeError(f"the broker did not take {left} submissions within {FLUSH_S:.0f} s")
        if self._failures:
            raise self._failures.pop()

    def unexpected(self, facts: Facts) -> Iterator[Finding]:
        """Answers that are not what the content demands; the content of submissions is known here alone."""
        for name, right in self.expected.items():
            for receipt in facts.receipts.get(name, ()):
                if receipt.outcome != right.outcome or (right.code and right.code not in receipt.codes):
                    said = f"{receipt.outcome} {receipt.codes} where {right.outcome} {right.code} was due"
                    yield Finding("I1", said, f"{name[0]}/{receipt.key.decode(errors='backslashreplace')}")

    def feed_back(self, facts: Facts) -> int:
        """The departments answer every open task that they have not answered; returns how many."""
        encode = self._encoders.setdefault("", self._registry.serializer("credit.feedback.v1-value"))
        opened = [t for t, told in facts.tasks.items() if told[-1].change == "OPENED" and t not in self._answered]
        now_ms = time.time_ns() // 1_000_000
        for task_id in opened:
            department, _ = facts.task_of[task_id]
            topic = f"credit.feedback.{department}.v1"
            feedback = {"feedback_id": f"fb-{task_id}", "task_id": task_id, "agency": department,
                        "outcome": "executed", "executed_on": datetime.fromtimestamp(now_ms / 1000, UTC).date(),
                        "note": "", "produced_at": now_ms}  # fmt: skip
            self.send_bytes(department, topic, task_id, encode(feedback, topic))
        self._answered |= set(opened)
        return len(opened)

    def close(self) -> None:
        """Stop; what the broker has not taken is let go."""
        self._left = True
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for door in self._producers.values():
            door.purge()


def _endless(seed: int) -> Iterator[Draft]:
    """Waves of drafts; each wave has organisations and records of its own."""
    wave = 0
    while True:
        number = seed * 100_003 + wave
        yield from _renumbered(drafts(number, organisations(number, WAVE)), wave)
        wave += 1


def _renumbered(wave: Iterable[Draft], number: int) -> Iterator[Draft]:
    return (replace(draft, record_no=f"{number}-{draft.record_no}") for draft in wave)
