"""µs of CPU per submission to read, Python against the native reader, batch 2,000 (`python -m bench.native`).

Both do the same: decode, validate, three hashes, due date. The native reader also writes the record and the receipt, so
Python is shown with `announce` as well. CPU time, median of rounds run in turns, so that neighbours disturb little.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from services.chassis.message import Message, Moment
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.batch_reader import BatchReader
from services.ingestion.contracts.program import TABLE_VERSION
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain import record
from services.ingestion.native import load
from tests.properties.ingestion.valid import messages_of
from tests.unit.ingestion import samples

BATCH, ROUNDS = 2000, 7
TOLERANCE_MS = 600_000


class Ids:
    """Schema ids as a registry would give them."""

    def schema_id(self, name: str) -> int:
        return len(name)


def measure(messages: list[Message], moment: Moment) -> dict[str, float]:
    """Median µs of CPU per message of each way."""
    register, speaker = Register(), Speaker(Ids())
    register.fill(samples.reference())
    python = SubmissionReader(register, TOLERANCE_MS)
    ways: dict[str, Callable[[], Any]] = {"python": lambda: [python.read(m, moment) for m in messages]}

    def announced() -> list[Any]:
        read = [python.read(m, moment) for m in messages]
        return [speaker.announce(record.decide(record.UNKNOWN, given)[0], given) for given in read]

    ways["python_and_announce"] = announced
    native, why = load({}, TABLE_VERSION)
    if native is None:
        sys.stderr.write(f"native reader: {why}; run `make native`\n")
    else:
        reader = BatchReader(native, register, speaker, TOLERANCE_MS)
        assert None not in reader.read_many(messages, moment)
        ways["native_and_announce"] = lambda: reader.read_many(messages, moment)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(_seconds(way) / len(messages) * 1e6)
    return {name: median(found) for name, found in taken.items()}


def _seconds(way: Callable[[], Any]) -> float:
    began = process_time()
    way()
    return process_time() - began


def main() -> None:
    """One line per item: short texts as the load generator has them, then texts of up to 600 characters."""
    short = [samples.record("org-permit", record_no=f"r-{i}", submission_id=f"s-{i}") for i in range(BATCH)]
    loads = {"org-permit, short": list(map(samples.sent, short))}
    loads |= {item: messages_of(item, BATCH) for item in ("org-permit", "org-penalty", "enterprise-registration")}
    for item, messages in loads.items():
        size = sum(len(m.value or b"") for m in messages) / len(messages)
        figures = "  ".join(f"{name} {micro:.2f}" for name, micro in measure(messages, samples.NOW).items())
        sys.stdout.write(f"{item} ({size:.0f} bytes): {figures} µs\n")


if __name__ == "__main__":
    main()
