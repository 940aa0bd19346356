"""`credit clock`: what the messages of the road tell, put together for the legal clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from services.cli import clock
from services.kernel import legal_clock

AGENCY, RECORD_ID = "420000-hbt", b"r" * 16


def at(text: str) -> datetime:
    """A moment in China, as Avro's reader gives it."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


ENVELOPE: dict[str, Any] = {
    "submission_id": "s-1",
    "item": "org-penalty",
    "agency": AGENCY,
    "source_unit": "",
    "action": "report",
    "subject_kind": "org",
    "decided_on": date(2017, 9, 28),
    "produced_at": at("2017-09-28 17:00"),
}
RECEIPT = {
    "submission_id": "s-1",
    "outcome": "ACCEPTED",
    "received_at": at("2017-09-29 09:00"),
    "answered_at": at("2017-09-29 09:01"),
    "due_on": date(2017, 10, 13),
}
RECORD: dict[str, Any] = {
    "submission_id": "s-1",
    "agency": AGENCY,
    "record_id": RECORD_ID,
    "version": 1,
    "disclosure": "public",
    "accepted_at": at("2017-09-29 09:01"),
    "submission": b"",
}
LINKED = {**RECORD, "linked_at": at("2017-09-29 09:02")}


def told(*said: tuple[str, dict[str, Any]], **envelope: Any) -> list[dict[str, Any]]:
    """What is known after these messages."""
    found: clock.Told = {}
    for topic, record in said:
        clock.note(found, topic, int(at("2017-09-29 09:00").timestamp() * 1000), record, lambda _: ENVELOPE | envelope)
    return list(found.values())


ROAD = (
    (f"credit.submit.{AGENCY}.v1", ENVELOPE),
    ("credit.ingestion.record.v1", RECORD),
    (f"credit.receipts.{AGENCY}.v1", RECEIPT),
    ("credit.identity.record.v1", LINKED),
)


def test_a_record_that_waits_for_disclosure_is_charged_to_it() -> None:
    (found,) = told(*ROAD)
    face = legal_clock.read(clock.moments(found), int(at("2017-10-14 00:00").timestamp() * 1000))
    plain = clock.plain(found, face)
    assert (plain["charged"], plain["late"], plain["receipt_due_on"]) == ("disclosure", ["disclosure"], "2017-10-13")
    assert [(hop["hop"], hop["ended_at"]) for hop in plain["hops"]] == [
        ("agency", "2017-09-29T09:00:00+08:00"),
        ("ingestion", "2017-09-29T09:01:00+08:00"),
        ("identity", "2017-09-29T09:02:00+08:00"),
        ("disclosure", None),
    ]
    assert plain["public"]["term"] == "7 working days"
    assert plain["public"]["source"] == "鄂信用文〔2017〕1号 第20项 (seed)"


def test_a_record_that_was_seen_in_time_is_in_time() -> None:
    known = told(*ROAD)
    other = {"record_id": RECORD_ID, "version": 2, "changed_at": at("2017-09-29 09:02")}
    clock.note_shown(known, other)
    assert "visible_at" not in known[0]
    clock.note_shown(known, other | {"version": 1, "changed_at": at("2017-09-29 09:03")})
    face = legal_clock.read(clock.moments(known[0]), int(at("2018-01-02 00:00").timestamp() * 1000))
    assert (face.late, face.charged) == ((), "")


def test_a_submission_that_nobody_has_answered_is_with_ingestion() -> None:
    (found,) = told(ROAD[0])
    face = legal_clock.read(clock.moments(found), int(at("2017-09-30 00:00").timestamp() * 1000))
    assert [(hop.name, hop.ended_at is None) for hop in face.hops] == [("agency", False), ("ingestion", True)]
    assert face.public is not None
    assert face.public.due_on == date(2017, 10, 13)


def test_the_same_submission_id_of_another_agency_is_another_submission() -> None:
    found = told(ROAD[0], (ROAD[0][0].replace("hbt", "gsj"), ENVELOPE))
    assert [one["agency"] for one in found] == [AGENCY, "420000-gsj"]


def test_a_second_sending_does_not_change_what_was_answered_first() -> None:
    (found,) = told(*ROAD, (f"credit.receipts.{AGENCY}.v1", RECEIPT | {"outcome": "DUPLICATE"}))
    assert found["outcome"] == "ACCEPTED"
