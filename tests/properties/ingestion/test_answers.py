"""Events built by hand are byte for byte what fastavro writes."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.contracts.answers import Speaker, record_body
from services.ingestion.domain.events import RecordAccepted, SubmissionDuplicate, SubmissionRefused
from services.ingestion.domain.faults import Fault
from services.ingestion.domain.submission import Origin, Submission
from tests.properties.ingestion.test_fast_path import EDITIONS

AVRO = Path(__file__).parents[3] / "avro"
RECORD = fastavro.parse_schema(json.loads((AVRO / "credit.ingestion.record.v1" / "1.avsc").read_text()))
RECEIPT = fastavro.parse_schema(json.loads((AVRO / "credit.receipts.v1" / "2.avsc").read_text()))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 4_102_444_800_000)
FAULTS = st.lists(st.builds(Fault, *[st.text(max_size=20)] * 8), max_size=3).map(tuple)


class Ids:
    def schema_id(self, name: str) -> int:
        return {"credit.ingestion.record.v1": 70_000, "credit.receipts.v1": 5}[name]


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    edition = EDITIONS[draw(st.sampled_from(sorted(EDITIONS)))]
    return Submission(
        Origin("420000-gsj", 3, b"key", draw(MOMENTS), draw(MOMENTS)),
        draw(st.text(max_size=200)),
        draw(st.text(max_size=80)),
        edition.item.code,
        edition.item.version,
        9,
        draw(st.sampled_from(["report", "correct", "withdraw"])),
        b"c" * 16,
        b"d" * 8,
        draw(MOMENTS),
        draw(st.binary(min_size=16, max_size=16)),
        draw(st.none() | st.integers(-20_000, 50_000)),
        edition.facts,
        draw(st.binary(max_size=300)),
        (),
        draw(FAULTS),
    )


def written(schema: Any, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return out.getvalue()


def moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def day(days: int | None) -> date | None:
    return None if days is None else date(1970, 1, 1) + timedelta(days=days)


def accepted(given_: Submission, version: int = 1) -> RecordAccepted:
    origin = given_.origin
    return RecordAccepted(
        version, given_.action, b"", 0, b"", origin.now, given_.item_version, 9, given_.record_id, given_.value
    )


@given(submissions(), st.integers(1, 2**40))
def test_record_accepted(submission: Submission, version: int) -> None:
    item = EDITIONS[submission.item].item
    assert record_body(accepted(submission, version), submission) == written(
        RECORD,
        {
            "record_id": submission.record_id,
            "version": version,
            "item": item.code,
            "item_version": item.version,
            "item_class": item.item_class,
            "disclosure": item.disclosure,
            "action": submission.action,
            "agency": submission.origin.agency,
            "submission_id": submission.submission_id,
            "accepted_at": moment(submission.origin.now),
            "due_on": day(submission.due_on),
            "submission": submission.value,
        },
    )


@given(submissions(), st.sampled_from(["ACCEPTED", "DUPLICATE", "REFUSED"]), FAULTS)
def test_receipt(submission: Submission, outcome: str, faults: tuple[Fault, ...]) -> None:
    event = {
        "ACCEPTED": accepted(submission),
        "DUPLICATE": SubmissionDuplicate(b"d" * 8),
        "REFUSED": SubmissionRefused(faults),
    }[outcome]
    *_, receipt = Speaker(Ids()).announce(event, submission)
    stated = {"ACCEPTED": submission.notes, "DUPLICATE": (), "REFUSED": faults}[outcome]
    known = outcome != "REFUSED"
    assert (receipt.topic, receipt.partition) == ("credit.receipts.420000-gsj.v1", 3)
    assert (receipt.key, receipt.subject) == (submission.origin.key, submission.submission_id)
    assert receipt.value == b"\x00\x00\x00\x00\x05" + written(
        RECEIPT,
        {
            "submission_id": submission.submission_id,
            "record_no": submission.record_no,
            "item": submission.item,
            "outcome": outcome,
            "record_id": submission.record_id.hex() if known else None,
            "faults": [fault._asdict() for fault in stated],
            "received_at": moment(submission.origin.received_at),
            "answered_at": moment(submission.origin.now),
            "due_on": day(submission.due_on) if known else None,
        },
    )
