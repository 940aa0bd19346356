"""The gRPC door: JSON becomes the item's Avro as a stock client writes it; what cannot is named, without its value."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from services.ingestion.api import credentials_of, envelope_of, payload_of, pb, receipt_of
from services.ingestion.contracts.payload import PayloadFault, framed, object_of
from services.ingestion.contracts.register import Register
from services.ingestion.domain.submission import Envelope
from services.ingestion.sessions.session import id_of
from tests.unit.ingestion import samples

REGISTER = Register()
REGISTER.fill(samples.reference())
NOW = samples.NOW.now_ms


def request(item: str, payload: dict[str, Any], /, **changes: Any) -> pb.SubmitRequest:
    whole = {
        "submission_id": "s-1",
        "item": item,
        "record_no": "r-1",
        "subject_code": samples.USCC,
        "subject_name": samples.NAME,
        "decided_on": "2017-09-28",
        "produced_at_ms": NOW - 1000,
        "payload_json": json.dumps(payload, default=lambda day: day.isoformat()),
    } | changes
    return pb.SubmitRequest(**whole)


def made(asked: pb.SubmitRequest) -> bytes:
    edition = REGISTER.newest(asked.item)
    assert edition is not None
    return framed(edition, envelope_of(asked, samples.AGENCIES[asked.item], NOW), payload_of(asked))


def reasons(asked: pb.SubmitRequest) -> list[str]:
    with pytest.raises(PayloadFault) as caught:
        made(asked)
    return caught.value.reasons


@pytest.mark.parametrize("item", sorted(samples.ITEMS))
def test_every_item_is_written_as_a_stock_client_writes_it(item: str) -> None:
    value = made(request(item, samples.payload(item), subject_kind=samples.record(item)["subject_kind"]))
    stock = samples.framed(samples.record(item) | {"produced_at": NOW - 1000})
    assert value == stock
    assert samples.reader().read(samples.message(value, samples.AGENCIES[item]), samples.NOW).faults == ()


def test_texts_by_field_code_do_as_well() -> None:
    texts = {name: str(value) for name, value in samples.payload("org-penalty").items()}
    by_text = request("org-penalty", {}, payload_json="", payload=texts)
    assert made(by_text) == made(request("org-penalty", samples.payload("org-penalty")))


def test_what_a_message_can_hold_is_left_for_ingestion_to_refuse() -> None:
    value = made(request("org-penalty", samples.payload("org-penalty", CF_SY=None, CF_NR_FK="much"), action="shout"))
    given = samples.reader().read(samples.message(value), samples.NOW)
    assert {fault.code for fault in given.faults} >= {"FIELD_MISSING", "FIELD_FORMAT", "ACTION_UNKNOWN"}


PENALTY = samples.payload("org-penalty")
WRONG = [
    (PENALTY | {"CF_JDRQ": "28.9.2017"}, "CF_JDRQ: a date such as 2017-03-29 is needed"),
    (PENALTY | {"CF_JDRQ": None}, "CF_JDRQ: required"),
    (PENALTY | {"CF_JDRQ": 17000}, "CF_JDRQ: a date such as 2017-03-29 is needed"),
    (PENALTY | {"CF_WSH": 17}, "CF_WSH: a text is needed"),
    (PENALTY | {"CF_WSH": "\ud800"}, "CF_WSH: a text is needed"),
    (PENALTY | {"CF_NR_FK": True}, "CF_NR_FK: a number, or a text of one, is needed"),
    (PENALTY | {"CF_NR_FK": [1]}, "CF_NR_FK: a number, or a text of one, is needed"),
    (PENALTY | {"no\nfield": 1}, "'no\\nfield': no field of org-penalty"),
    (PENALTY | {"CF_SY": "演" * 400_000}, "payload: more than 900000 bytes"),
]


@pytest.mark.parametrize(("payload", "reason"), WRONG, ids=range(len(WRONG)))
def test_what_no_message_can_hold_is_named(payload: dict[str, Any], reason: str) -> None:
    assert reasons(request("org-penalty", payload)) == [reason]


def test_all_reasons_at_once_and_no_value_among_them() -> None:
    bad = PENALTY | {"CF_JDRQ": "420106190003070015", "CF_YXQ": "420106190003070015"}
    told = reasons(request("org-penalty", bad))
    assert [reason.partition(":")[0] for reason in told] == ["CF_JDRQ", "CF_YXQ"]
    assert "420106190003070015" not in str(told)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "{", '{"a":1,"a":2}', '{"a":NaN}', '{"a":' + "9" * 5000 + "}", "[" * 100_000, '"\\ud800"']
)
def test_what_is_no_object_is_a_reason_and_no_exception(text: str) -> None:
    with pytest.raises(PayloadFault):
        object_of(text)


def test_a_huge_exponent_is_no_huge_text() -> None:
    with pytest.raises(PayloadFault, match="CF_NR_FK"):
        made(request("org-penalty", {}, payload_json='{"CF_NR_FK": 1e999999}'))


@pytest.mark.parametrize(
    "changes",
    [{"submission_id": ""}, {"record_no": "x" * 101}, {"decided_on": ""}, {"decided_on": "20170928"}],
    ids=str,
)
def test_a_submission_needs_names_and_a_day(changes: dict[str, Any]) -> None:
    (reason,) = reasons(request("org-penalty", PENALTY, **changes))
    assert reason.partition(":")[0] in changes


def test_both_forms_of_payload_at_once_are_refused() -> None:
    assert reasons(request("org-penalty", PENALTY, payload={"CF_WSH": "x"})) == [
        "payload: give payload_json or payload, not both"
    ]


def test_the_caller_cannot_name_another_agency() -> None:
    envelope: Envelope = envelope_of(request("org-penalty", PENALTY), "420000-hbt", NOW)
    assert envelope.agency == "420000-hbt"
    assert "agency" not in pb.SubmitRequest.DESCRIPTOR.fields_by_name


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ((("authorization", basic("420000-hbt:pass:word")),), ("420000-hbt", "pass:word")),
        ((("authorization", basic("420000-hbt:密码").replace("Basic", "basic")),), ("420000-hbt", "密码")),
        ((("authorization", "Bearer " + "x" * 10),), ("", "")),
        ((("authorization", "Basic not base64!"),), ("", "")),
        ((("authorization", basic("a:b")), ("authorization", basic("c:d"))), ("", "")),
        ((("authorization", b"Basic"),), ("", "")),
        (None, ("", "")),
    ],
)
def test_credentials(metadata: Any, expected: tuple[str, str]) -> None:
    assert credentials_of(metadata) == expected


def test_a_receipt_says_what_the_topic_says() -> None:
    from services.ingestion.contracts.answers import Speaker
    from tests.support.local_schemas import LocalSchemas

    schemas = LocalSchemas()
    given = samples.read(samples.record(payload_changes={"CF_WSH": ""}))
    outgoing = Speaker(schemas).receipt(given, "REFUSED", given.faults)
    assert id_of(outgoing.value) == "s-1"
    _, record = schemas.decode(outgoing.value)
    found = receipt_of(record)
    assert (found.outcome, found.record_no, found.due_on, found.received_at_ms) == ("REFUSED", "r-1", "", NOW - 40)
    assert [(fault.code, fault.field) for fault in found.faults] == [("FIELD_MISSING", "CF_WSH")]
