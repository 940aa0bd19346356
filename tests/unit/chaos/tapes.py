"""A tape of what the topics say when all is well, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.chaos import rules
from tests.chaos.facts import Facts
from tests.chaos.heard import EXCHANGE, GOVERNMENT, LINKED, PUBLIC, RECORD, SUBJECT, Heard

AGENCY, SUBMIT, RECEIPTS = "420000-hbt", "credit.submit.420000-hbt.v1", "credit.receipts.420000-hbt.v1"
TASKS = "credit.sanctions.task.420000-gsj.v1"
R1, R2, S1 = b"1" * 16, b"2" * 16, b"s" * 16
DAY = date(2017, 9, 28)

Tape = list[Heard]


def said(topic: str, origin: str, position: int, record: dict[str, Any], key: bytes = b"k", digest: int = 0) -> Heard:
    headers = {"origin": origin.encode(), "position": str(position).encode()}
    return Heard(topic, 0, position, key, headers, record, digest or hash(str(record)) & 0xFFFF)


def submitted(offset: int, name: str) -> Heard:
    return Heard(SUBMIT, 0, offset, b"k%d" % offset, {}, {"submission_id": name, "subject_code": "9" * 18})


def receipt(position: int, name: str, outcome: str, record_id: bytes | None, *codes: str, key: bytes = b"") -> Heard:
    found = {"submission_id": name, "outcome": outcome, "record_id": record_id.hex() if record_id else None}
    faults = [{"code": code} for code in codes]
    return said(RECEIPTS, IN, position, found | {"faults": faults}, key or b"k" + name[1:].encode())


def version(
    topic: str, origin: str, position: int, record_id: bytes, number: int, name: str, subject_id: bytes = S1
) -> Heard:
    action = "report" if number == 1 else "correct"
    record = {"record_id": record_id, "version": number, "agency": AGENCY, "submission_id": name,
              "subject_id": subject_id, "item": "org-permit", "disclosure": "public", "action": action}  # fmt: skip
    return said(topic, origin, position, record)


def change(
    topic: str, position: int, record_id: bytes, number: int, seq: int, what: str = "ADDED", subject_id: bytes = S1
) -> Heard:
    record = {"subject_id": subject_id, "record_id": record_id, "version": number, "subject_seq": seq, "change": what}
    return said(topic, OUT, position, record)


def exchanged(
    record_id: bytes, number: int, state: str, attempt: int, position: int, origin: str = "", link_no: int = 0
) -> Heard:
    record = {"exchange_id": record_id, "version": number, "state": state, "attempt": attempt, "link_no": link_no}
    return said(EXCHANGE, origin or SYNC, position, record)


def task(
    name: str,
    position: int,
    change: str,
    version: int | None,
    origin: str = "sanctions/1/x/0",
    subject_id: bytes = S1,
) -> Heard:
    record = {"task_id": name, "change": change, "department": "d", "record_id": R1, "task_version": version,
              "subject_id": subject_id}  # fmt: skip
    return said(TASKS, origin, position, record)


IN, LINK, OUT, SYNC = (
    f"ingestion/1/{SUBMIT}/0",
    f"identity/1/{RECORD}/0",
    f"disclosure/1/{LINKED}/0",
    "national_sync/1/x/0",
)


def whole() -> Tape:
    """Four submissions: two records, a correction of the first, one refused, and bytes that are none."""
    catalogue = {"code": "org-permit", "definition": '{"national": {"dataset": "xzxk"}}'}
    tape = [said("credit.ingestion.catalogue.v1", "ingestion/1/credit.ingestion.command.v1/0", 1, catalogue)]
    tape += [submitted(n, f"s{n}") for n in range(4)]
    tape.append(Heard(SUBMIT, 0, 4, b"k4", {}, None))
    for n, (record_id, number) in enumerate(((R1, 1), (R2, 1), (R1, 2))):
        tape.append(version(RECORD, IN, 2 * n + 1, record_id, number, f"s{n}"))
        tape.append(receipt(2 * n + 2, f"s{n}", "ACCEPTED", record_id))
        tape.append(version(LINKED, LINK, n + 1, record_id, number, f"s{n}"))
        tape.append(change(PUBLIC, 2 * n + 1, record_id, number, n + 1))
        tape.append(change(GOVERNMENT, 2 * n + 2, record_id, number, n + 1))
        tape.append(exchanged(record_id, number, "ACKNOWLEDGED", 1, n + 1))
    # The record's lane and the timers' have told what came before after the answers' lane had told the end.
    tape += [exchanged(R1, 2, "PENDING", 1, 1, "national_sync/1/y/0"), exchanged(R1, 2, "PENDING", 2, 2, "sync/1/y/0")]
    tape.append(receipt(7, "s3", "REFUSED", None, "FIELD_MISSING"))
    tape.append(receipt(8, f"{SUBMIT}/0/4", "REFUSED", None, "UNDECODABLE", key=b"k4"))
    tape += [task("t1", 1, "OPENED", 1), task("t2", 2, "OPENED", 1)]
    # Its department's lane has told of the feedback after the record's lane had lifted the task.
    tape += [task("t2", 3, "LIFTED", 3), task("t2", 1, "CLOSED", 2, "sanctions/1/y/0")]
    tape.append(said(SUBJECT, LINK, 4, {"subject_id": S1, "subject_version": 1}))
    return tape


def heard(tape: Tape) -> Facts:
    facts = Facts()
    for message in tape:
        facts.hear(message)
    return facts


def find(tape: Tape) -> list[str]:
    return [str(finding) for finding in rules.all_of(heard(tape), (), ())]


def without(topic: str, position: int) -> Callable[[Tape], Tape]:
    return lambda tape: [m for m in tape if (m.topic, m.headers.get("position")) != (topic, b"%d" % position)]


def plus(*more: Heard) -> Callable[[Tape], Tape]:
    return lambda tape: [*tape, *more]
