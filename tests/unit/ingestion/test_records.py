"""Duplicates, corrections and withdrawals, one rule each, through the aggregate as the lane loop uses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.ingestion.contracts.answers import Speaker
from services.ingestion.domain.events import RecordAccepted, SubmissionDuplicate, SubmissionRefused
from services.ingestion.domain.submission import Submission
from services.ingestion.handlers.parked import tell_waiting
from services.ingestion.handlers.records import Records
from tests.support import driver
from tests.unit.ingestion import samples

LATER, EARLIER = samples.PRODUCED + timedelta(minutes=5), samples.PRODUCED - timedelta(minutes=5)
OTHER = {"CF_NR": "演示其他内容"}


class Ids:
    def schema_id(self, name: str) -> int:
        return 1


def said(*submissions: dict[str, Any]) -> list[str]:
    """The outcome of each, a refusal by its code."""
    given = [samples.read(submission) for submission in submissions]
    return [outcome(events[0]) for events in driver.run(Records(Speaker(Ids())), given)]


def outcome(event: object) -> str:
    if isinstance(event, RecordAccepted):
        return f"{event.action} {event.version}"
    if isinstance(event, SubmissionRefused):
        return event.faults[0].code
    assert isinstance(event, SubmissionDuplicate)
    return "DUPLICATE"


def record(number: int, action: str = "report", **how: Any) -> dict[str, Any]:
    return samples.record(submission_id=f"s-{number}", action=action, **how)


def changed(number: int, action: str = "correct", **how: Any) -> dict[str, Any]:
    return record(number, action, payload_changes=OTHER, **how)


HISTORIES = [
    ([record(1)], ["report 1"]),
    ([record(1), record(1)], ["report 1", "DUPLICATE"]),
    ([record(1), record(2)], ["report 1", "DUPLICATE"]),
    ([record(1), changed(2, "report")], ["report 1", "RECORD_NO_REUSED"]),
    ([changed(1)], ["RECORD_UNKNOWN"]),
    ([record(1), changed(2, produced_at=LATER)], ["report 1", "correct 2"]),
    ([record(1), changed(2)], ["report 1", "correct 2"]),
    ([record(1), changed(2, produced_at=EARLIER)], ["report 1", "CORRECTION_STALE"]),
    ([record(1), record(2, "correct", produced_at=LATER)], ["report 1", "DUPLICATE"]),
    ([record(1), changed(2, produced_at=LATER), record(1)], ["report 1", "correct 2", "DUPLICATE"]),
    ([record(1, "withdraw")], ["RECORD_UNKNOWN"]),
    ([record(1), record(2, "withdraw")], ["report 1", "withdraw 2"]),
    ([record(1), record(2, "withdraw"), record(2, "withdraw")], ["report 1", "withdraw 2", "DUPLICATE"]),
    ([record(1), record(2, "withdraw"), record(3, "withdraw")], ["report 1", "withdraw 2", "ALREADY_WITHDRAWN"]),
    ([record(1), record(2, "withdraw"), record(3)], ["report 1", "withdraw 2", "ALREADY_WITHDRAWN"]),
    ([changed(1), record(2), changed(1)], ["RECORD_UNKNOWN", "report 1", "correct 2"]),
]


@pytest.mark.parametrize(("history", "expected"), HISTORIES, ids=lambda x: "-".join(map(str, x))[:60])
def test_history(history: list[dict[str, Any]], expected: list[str]) -> None:
    assert said(*history) == expected


def test_a_parked_submission_is_told_to_wait_under_its_own_names() -> None:
    parked = tell_waiting(Speaker(Ids()))
    (receipt,) = parked(samples.sent(record(1)), "CRASHED", samples.NOW)
    assert (receipt.topic, receipt.partition, receipt.key) == ("credit.receipts.420000-hbt.v1", 2, b"r-1")
    assert b"WAITING" in receipt.value and receipt.subject == "s-1"
    assert parked(samples.sent(record(1))._replace(topic="credit.ingestion.command.v1"), "CRASHED", samples.NOW) == ()


@pytest.mark.parametrize("sent", [record(1), b"no record"], ids=["another record_no", "no record"])
@pytest.mark.parametrize("key", [b"another", b"\xf3\xbe no text", b""])
def test_whatever_is_refused_is_answered_under_its_own_key(sent: Any, key: bytes) -> None:
    message = samples.sent(record(1))._replace(key=key)
    message = message if isinstance(sent, dict) else message._replace(value=sent)
    given = samples.reader().read(message, samples.NOW)
    records = Records(Speaker(Ids()))
    (event,) = records.decide(records.initial(records.key(given)), given)
    (receipt,) = records.announce(event, given)
    assert isinstance(event, SubmissionRefused)
    assert (receipt.key, receipt.partition) == (key, message.partition)


def test_what_was_accepted_is_passed_on_untouched() -> None:
    given: Submission = samples.read(record(1))
    records = Records(Speaker(Ids()))
    (event,) = records.decide(records.initial(records.key(given)), given)
    event_message, receipt = records.announce(event, given)
    assert event_message.key == given.record_id
    assert event_message.value.endswith(given.value)
    assert receipt.kind == "cn.hubei.credit.receipt.v1"
