"""When a report was due: calendar days as written, working days by the table, no guess beyond it."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import fastavro
import pytest

from deploy.local.layout import REPO
from services.chassis.message import Moment
from services.ingestion.contracts.answers import Speaker
from services.ingestion.domain import record
from services.ingestion.domain.deadlines import days_left, due_on
from tests.unit.ingestion import samples

EPOCH = date(1970, 1, 1)
RECEIVED = Moment(int(datetime(2020, 3, 2, 12, tzinfo=UTC).timestamp() * 1000))  # when every item is in force


def due(item: str, decided_on: date) -> tuple[date | None, list[str]]:
    day, notes = due_on(samples.ITEMS[item], (decided_on - EPOCH).days)
    return (None if day is None else date.fromordinal(day + EPOCH.toordinal())), [note.code for note in notes]


@pytest.mark.parametrize(
    ("item", "decided_on", "expected"),
    [
        ("org-penalty", date(2017, 1, 25), (date(2017, 2, 9), [])),
        ("org-penalty", date(2017, 9, 28), (date(2017, 10, 13), [])),
        ("org-penalty", date(1999, 1, 1), (None, ["DUE_ON_UNKNOWN"])),
        ("org-permit", date(2026, 12, 30), (None, ["DUE_ON_UNKNOWN"])),
        ("enterprise-registration", date(1978, 5, 1), (date(1978, 5, 3), [])),
        ("credit-commitment", date(2017, 9, 28), (date(2017, 10, 1), [])),
    ],
)
def test_due_on(item: str, decided_on: date, expected: Any) -> None:
    assert due(item, decided_on) == expected


DECISIONS: list[tuple[str, str, str, str]] = [
    ("Monday before National Day", "org-penalty", "2017-09-25", "2017-10-10"),
    ("Wednesday before National Day", "org-penalty", "2017-09-27", "2017-10-12"),
    ("Thursday before National Day", "org-penalty", "2017-09-28", "2017-10-13"),
    ("Friday before National Day", "org-permit", "2017-09-29", "2017-10-16"),
    ("the worked Saturday before National Day", "org-permit", "2017-09-30", "2017-10-17"),
    ("on National Day", "org-penalty", "2017-10-01", "2017-10-17"),
    ("on the last day of the holiday", "org-penalty", "2017-10-08", "2017-10-17"),
    ("the first working day after it", "org-penalty", "2017-10-09", "2017-10-18"),
    ("the Friday a week before Spring Festival", "org-penalty", "2017-01-20", "2017-02-04"),
    ("the worked Sunday before Spring Festival", "org-permit", "2017-01-22", "2017-02-06"),
    ("two days before the eve", "org-penalty", "2017-01-25", "2017-02-09"),
    ("the day before the eve", "org-penalty", "2017-01-26", "2017-02-10"),
    ("on New Year's Day of the moon", "org-permit", "2017-01-28", "2017-02-10"),
    ("the first working day after Spring Festival", "org-penalty", "2017-02-03", "2017-02-13"),
    ("the worked Saturday after Spring Festival", "org-penalty", "2017-02-04", "2017-02-14"),
    ("before the Spring Festival that was prolonged", "org-penalty", "2020-01-22", "2020-02-10"),
    ("the day before it", "org-permit", "2020-01-23", "2020-02-11"),
    ("two calendar days run into National Day", "red-list-tax-a", "2017-09-29", "2017-10-01"),
    ("two calendar days run into Spring Festival", "enterprise-registration", "2017-01-26", "2017-01-28"),
    ("three calendar days end on National Day", "credit-commitment", "2017-09-28", "2017-10-01"),
]


class Ids:
    def schema_id(self, name: str) -> int:
        return 5


RECEIPT: Any = fastavro.parse_schema(json.loads((REPO / "avro/credit.receipts.v1/2.avsc").read_text(encoding="utf-8")))


@pytest.mark.parametrize(("item", "decided", "expected"), [d[1:] for d in DECISIONS], ids=[d[0] for d in DECISIONS])
def test_the_receipt_of_a_decision_says_when_it_was_due(item: str, decided: str, expected: str) -> None:
    """Twenty decisions around National Day and Spring Festival, against days worked out by hand."""
    day = date.fromisoformat(decided)
    dates = {field.code: day for field in samples.ITEMS[item].fields if field.type == "date"}
    produced = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    sent = samples.record(item, decided_on=day, produced_at=produced, payload_changes=dates)
    given = samples.reader().read(samples.sent(sent), RECEIVED)
    (event,) = record.decide(record.UNKNOWN, given)
    *_, receipt = Speaker(Ids()).announce(event, given)
    said = fastavro.schemaless_reader(io.BytesIO(receipt.value[5:]), RECEIPT, None)
    assert (said["outcome"], str(said["due_on"])) == ("ACCEPTED", expected)


def test_a_record_without_a_calendar_is_accepted_with_a_note() -> None:
    early = date(1999, 1, 4)
    given = samples.read(samples.record(decided_on=early, payload_changes={"CF_JDRQ": early}))
    assert (given.faults, given.due_on) == ((), None)
    assert [note.code for note in given.notes] == ["DUE_ON_UNKNOWN"]


def test_the_calendar_says_how_long_it_lasts() -> None:
    assert days_left((date(2026, 12, 1) - EPOCH).days) == 30
