"""What came out: waiting for it without disturbing, then reading it with the times the messages bear."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.rig import Rig, receipt_topics
from services.chassis.prefix import prefix_reader
from services.cli.demo.seen import EXCHANGE, GOVERNMENT, LINKED, PUBLIC
from services.cli.outsider import Offsets, Reader

ACCEPTED = "credit.ingestion.record.v1"
FEEDS = (PUBLIC, GOVERNMENT)
PATIENCE_S = 120.0
LOOK_EVERY_S = 0.5
HEAD = 5
read_receipt = prefix_reader(["string"] * 4)  # submission_id, record_no, item, outcome
read_change = prefix_reader(["fixed16", "long", "string", "fixed16", "long"])  # subject, seq, change, record, version


class Stage(NamedTuple):
    """The messages of some topics of one run: how many, and when the first and the last came (s since 1970)."""

    messages: int
    first: float
    last: float


class Change(NamedTuple):
    """A line of a feed."""

    subject_id: bytes
    seq: int
    record_id: bytes
    version: int


class Arrivals:
    """Looks at topics from where they ended when this was made."""

    def __init__(self, rig: Rig) -> None:
        self._reader = Reader(rig.layout)
        self._receipts = receipt_topics()
        self.topics = [*self._receipts, ACCEPTED, LINKED, *FEEDS, EXCHANGE]
        self._begin = self._reader.ends(self.topics)

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()

    def grown(self) -> Counter[str]:
        """How many messages each topic has more than at the beginning."""
        ends = self._reader.ends(self.topics)
        return Counter({name: _count(self._begin, ends, name) for name in self.topics})

    def wait(self, receipts: int, accepted: int, stages: Sequence[str]) -> None:
        """Until there are so many receipts, and `accepted` messages on each topic of `stages`; or nothing moves."""
        moved_at, before = time.monotonic(), -1
        while True:
            grown = self.grown()
            answered = sum(grown[name] for name in self._receipts)
            if answered >= receipts and all(grown[name] >= accepted for name in stages):
                return
            if sum(grown.values()) != before:
                moved_at, before = time.monotonic(), sum(grown.values())
            if time.monotonic() - moved_at > PATIENCE_S:
                raise SystemExit(f"CHECK FAILED arrival: nothing moves any more at {dict(grown)}, {answered} receipts")
            time.sleep(LOOK_EVERY_S)

    def receipts(self) -> tuple[Stage, dict[str, list[str]]]:
        """When they came, and the outcomes by submission id."""
        found: dict[str, list[str]] = {}
        times: list[int] = []
        for message in self._reader.read(self._receipts, dict(self._begin)):
            submission_id, _, _, outcome, _ = read_receipt(message.value() or b"", HEAD)
            found.setdefault(submission_id, []).append(outcome)
            times.append(message.timestamp()[1])
        return _stage(times), found

    def changes(self, feed: str) -> tuple[Stage, list[Change]]:
        """When they came, and the lines of a feed, in the order of each partition."""
        found: list[Change] = []
        times: list[int] = []
        for message in self._reader.read([feed], dict(self._begin)):
            subject_id, seq, _, record_id, version, _ = read_change(message.value() or b"", HEAD)
            found.append(Change(subject_id, seq, record_id, version))
            times.append(message.timestamp()[1])
        return _stage(times), found

    def stage(self, topic: str) -> Stage:
        """When the messages of a topic came."""
        return _stage([message.timestamp()[1] for message in self._reader.read([topic], dict(self._begin))])


def _stage(times: Sequence[int]) -> Stage:
    return Stage(len(times), min(times) / 1000, max(times) / 1000) if times else Stage(0, 0.0, 0.0)


def _count(begin: Offsets, ends: Mapping[tuple[str, int], int], topic: str) -> int:
    return sum(end - begin.get(place, 0) for place, end in ends.items() if place[0] == topic)
