"""µs of CPU per message to read, Python against native code, batch 2,000 (`python -m bench.native`).

Ingestion: both decode, validate, make three hashes, find the due date. The native reader also writes the record and the
receipt, so Python is shown with `announce` as well. Disclosure: both cut what may be shown out of a linked record. CPU
time, median of rounds run in turns, so that neighbours disturb little.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import process_time
from typing import Any

from services.chassis.message import Message, Moment
from services.disclosure.contracts.batch_reader import BatchReader as CutReader
from services.disclosure.contracts.program import TABLE_VERSION as CUT_VERSION
from services.disclosure.contracts.records import LINKED, RecordReader
from services.disclosure.contracts.reference import Catalogue
from services.disclosure.domain.edition import edition_of
from services.disclosure.native import load as cutter
from services.ingestion.contracts.answers import Speaker
from services.ingestion.contracts.batch_reader import BatchReader
from services.ingestion.contracts.program import TABLE_VERSION
from services.ingestion.contracts.register import Register
from services.ingestion.contracts.submissions import SubmissionReader
from services.ingestion.domain import record
from services.ingestion.domain.wishes import canonical
from services.ingestion.native import load
from tests.properties.ingestion.valid import messages_of
from tests.support.local_schemas import LocalSchemas
from tests.unit.ingestion import samples

BATCH, ROUNDS = 2000, 7
TOLERANCE_MS = 600_000


class Ids:
    """Schema ids as a registry would give them."""

    def schema_id(self, name: str) -> int:
        return len(name)


def reading(messages: list[Message], moment: Moment) -> dict[str, float]:
    """Ingestion's ways to read submissions."""
    register, speaker = Register(), Speaker(Ids())
    register.fill(samples.reference())
    python = SubmissionReader(register, TOLERANCE_MS)
    ways: dict[str, Callable[[], Any]] = {"python": lambda: [python.read(m, moment) for m in messages]}

    def announced() -> list[Any]:
        read = [python.read(m, moment) for m in messages]
        return [speaker.announce(record.decide(record.UNKNOWN, given)[0], given) for given in read]

    ways["python_and_announce"] = announced
    native, why = load(os.environ, TABLE_VERSION)
    if native is None:
        sys.stderr.write(f"native reader: {why}; run `make native`\n")
    else:
        reader = BatchReader(native, register, speaker, TOLERANCE_MS)
        assert None not in reader.read_many(messages, moment)
        ways["native_and_announce"] = lambda: reader.read_many(messages, moment)
    return measure(ways, len(messages))


def cutting(item: str, messages: list[Message], moment: Moment) -> dict[str, float]:
    """Disclosure's ways to read the same submissions, accepted and linked."""
    schemas, catalogue = LocalSchemas(), Catalogue()
    schemas.know(samples.SCHEMA_IDS[item], samples.SCHEMAS[item])
    definition = canonical(samples.SHIPPED[item].definition)
    catalogue.fill(1, {item: [edition_of(item, samples.ITEMS[item].version, definition, moment.now_ms).edition]})
    linked = [_linked(schemas, item, message, moment) for message in messages]
    python = RecordReader(schemas, catalogue)
    ways: dict[str, Callable[[], Any]] = {"python": lambda: [python.complete(python.read(m, moment)) for m in linked]}
    native, why = cutter(os.environ, CUT_VERSION)
    if native is None:
        sys.stderr.write(f"native cutter: {why}; run `make native`\n")
    else:
        reader = CutReader(native, schemas, catalogue)
        assert None not in reader.read_many(linked, moment)
        ways["native"] = lambda: reader.read_many(linked, moment)
    return measure(ways, len(linked))


def _linked(schemas: LocalSchemas, item: str, message: Message, moment: Moment) -> Message:
    said = {"link_rule": "USCC", "linked_at": moment.now_ms, "version": 1, "item": item, "item_class": "permit"}
    said |= {"disclosure": "public", "action": "report", "agency": "420000-hbt", "submission_id": "B0001s00000001"}
    said |= {"subject_id": b"S" * 16, "record_id": b"R" * 16, "item_version": samples.ITEMS[item].version}
    said |= {"accepted_at": moment.now_ms, "due_on": None, "submission": message.value or b""}
    return message._replace(topic=LINKED, value=schemas.encode(LINKED, said))


def measure(ways: Mapping[str, Callable[[], Any]], count: int) -> dict[str, float]:
    """Median µs of CPU per message of each way."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            taken[name].append(_seconds(way) / count * 1e6)
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
        _tell(f"{item} ({size:.0f} bytes)", reading(messages, samples.NOW))
    for item, messages in loads.items():
        _tell(f"{item}, linked", cutting(item.split(",")[0], messages, samples.NOW))


def _tell(what: str, measured: Mapping[str, float]) -> None:
    sys.stdout.write(f"{what}: " + "  ".join(f"{name} {micro:.2f}" for name, micro in measured.items()) + " µs\n")


if __name__ == "__main__":
    main()
