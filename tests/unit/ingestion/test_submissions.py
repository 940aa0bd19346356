"""Reading submissions: what is accepted, what is refused and with which faults; never an exception."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.unit.ingestion import samples


def faults(submission: dict[str, Any], **how: Any) -> set[tuple[str, str]]:
    return {(f.code, f.field) for f in samples.read(submission, **how).faults}


@pytest.mark.parametrize("item", sorted(samples.ITEMS))
def test_a_valid_submission_of_every_item_has_no_fault(item: str) -> None:
    given = samples.read(samples.record(item))
    assert given.faults == ()
    version = samples.ITEMS[item].version
    assert (given.submission_id, given.record_no, given.item, given.item_version) == ("s-1", "r-1", item, version)
    assert len(given.record_id) == len(given.content) == 16


ENVELOPE = [
    ({"agency": "420000-gsj"}, ("AGENCY_MISMATCH", "agency")),
    ({"action": "delete"}, ("ACTION_UNKNOWN", "action")),
    ({"subject_kind": "person"}, ("SUBJECT_KIND_NOT_ALLOWED", "subject_kind")),
    ({"subject_code_kind": "resident_id"}, ("SUBJECT_CODE_KIND", "subject_code_kind")),
    ({"subject_name": " "}, ("ENVELOPE_FORMAT", "subject_name")),
    ({"subject_name": "演\x00示"}, ("ENVELOPE_FORMAT", "subject_name")),
    ({"record_no": "r" * 101}, ("ENVELOPE_FORMAT", "record_no")),
    ({"submission_id": ""}, ("ENVELOPE_FORMAT", "submission_id")),
    ({"decided_on": date(2017, 9, 30)}, ("DECIDED_ON_FUTURE", "decided_on")),
    ({"decided_on": date(1899, 12, 31)}, ("ENVELOPE_RANGE", "decided_on")),
    ({"produced_at": datetime(2017, 9, 29, 5, tzinfo=UTC)}, ("PRODUCED_AT_FUTURE", "produced_at")),
    ({"produced_at": datetime(1970, 1, 1, tzinfo=UTC)}, ("ENVELOPE_RANGE", "produced_at")),
    ({"item": "org-permit"}, ("ITEM_MISMATCH", "item")),
]


@pytest.mark.parametrize(("changes", "expected"), ENVELOPE, ids=lambda x: str(x)[:40])
def test_envelope_faults(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in faults(samples.record(**changes), schema="org-penalty")


def test_today_in_china_is_no_future() -> None:
    assert (
        faults(
            samples.record(
                decided_on=date(2017, 9, 29),
                payload_changes={"CF_JDRQ": date(2017, 9, 29), "CF_YXQ": date(2018, 9, 29), "CF_GSJZQ": None},
            )
        )
        == set()
    )


PAYLOAD = [
    ({"CF_WSH": ""}, ("FIELD_MISSING", "CF_WSH")),
    ({"CF_WSH": "　"}, ("FIELD_MISSING", "CF_WSH")),
    ({"CF_WSH": "x" * 129}, ("FIELD_LENGTH", "CF_WSH")),
    ({"CF_SY": "一\x07二"}, ("FIELD_CHARACTERS", "CF_SY")),
    ({"CF_SY": "当事人420106190003070015"}, ("FORBIDDEN_CONTENT", "CF_SY")),
    ({"CF_CFLB": "罚金"}, ("FIELD_CODE_LIST", "CF_CFLB")),
    ({"CF_CFLB": "警告;罚款", "CF_NR_FK": None}, ("FIELD_MISSING", "CF_NR_FK")),
    ({"CF_NR_FK": "2000元"}, ("FIELD_FORMAT", "CF_NR_FK")),
    ({"CF_NR_FK": "0.1234567"}, ("FIELD_FORMAT", "CF_NR_FK")),
    ({"CF_XDR_MC": "演示乙有限公司"}, ("FIELD_DISAGREES", "CF_XDR_MC")),
    ({"CF_XDR_SHXYM": None}, ("FIELD_MISSING", "CF_XDR_SHXYM")),
    ({"CF_CFJGDM": "91420100MA4KLM0N5A"}, ("FIELD_FORMAT", "CF_CFJGDM")),
    ({"CF_YXQ": date(2017, 1, 1)}, ("FIELD_ORDER", "CF_YXQ")),
    ({"CF_GSJZQ": date(2999, 1, 1)}, ("FIELD_RANGE", "CF_GSJZQ")),
]


@pytest.mark.parametrize(("changes", "expected"), PAYLOAD, ids=lambda x: str(x)[:40])
def test_payload_faults(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert faults(samples.record(payload_changes=changes)) == {expected}


RECEIVED = [
    ({"CF_WSH": ""}, "length=0"),
    ({"CF_WSH": "　"}, "length=1 shape=␣"),
    ({"CF_WSH": "x" * 129}, "length=129 shape=a{129} at=129"),
    ({"CF_SY": "一\x07二"}, "length=3 shape=字␀字 at=2"),
    ({"CF_SY": "当事人420106190003070015"}, "length=21 shape=字字字9{18} at=4"),
    ({"CF_CFLB": "罚金"}, "length=2 shape=字字 at=2"),
    ({"CF_CFLB": "警告;罚金"}, "part=2 length=2 shape=字字 at=2"),
    ({"CF_NR_FK": "2000元"}, "length=5 shape=9999字"),
    ({"CF_XDR_MC": "演示乙有限公司"}, "length=7 shape=字{7} at=3 other_length=7"),
    ({"CF_XDR_SHXYM": None}, "absent"),
    ({"CF_CFJGDM": "91420100MA4KLM0N5A"}, "length=18 shape=9{8}AA9AAA9A9A at=18"),
    ({"CF_CFJGDM": "91420100MA4KLMON5H"}, "length=18 shape=9{8}AA9A{5}9A at=15"),
    ({"CF_YXQ": date(2017, 1, 1)}, "side=before by=year"),
    ({"CF_GSJZQ": date(2999, 1, 1)}, "side=after by=more"),
]


@pytest.mark.parametrize(("changes", "told"), RECEIVED, ids=lambda x: str(x)[:40])
def test_what_was_received_is_told_by_its_form(changes: dict[str, Any], told: str) -> None:
    (fault,) = samples.read(samples.record(payload_changes=changes)).faults
    assert fault.received == told


def test_a_fault_names_the_clause_of_the_catalogue_and_the_law_behind_it() -> None:
    (fault,) = samples.read(samples.record(payload_changes={"CF_WSH": ""})).faults
    edition = f"org-penalty/{samples.ITEMS['org-penalty'].version}"
    assert fault.clause.startswith(f"{edition} CF_WSH; 中华人民共和国行政处罚法第四十八条")
    (fault,) = samples.read(samples.record(subject_kind="person")).faults
    assert fault.clause.startswith(f"{edition} subject_kind; ")


@pytest.mark.parametrize("kinds", ["警告", "罚款;没收违法所得", "其他", "其他（责令改正）"])
def test_several_kinds_of_penalty_and_the_open_one(kinds: str) -> None:
    assert faults(samples.record(payload_changes={"CF_CFLB": kinds})) == set()


def test_all_faults_at_once_in_both_languages_with_an_example() -> None:
    wrong = samples.record(action="x", subject_code="91420100MA4KLM0N5A", payload_changes={"CF_NR": "", "CF_CFLB": "y"})
    given = samples.read(wrong)
    assert {f.code for f in given.faults} >= {
        "ACTION_UNKNOWN", "SUBJECT_CODE_CHECK_DIGIT", "FIELD_MISSING", "FIELD_CODE_LIST",
    }  # fmt: skip
    assert all(f.message_zh and f.message_en and f.rule and f.clause for f in given.faults)
    assert all(f.example for f in given.faults if f.code == "FIELD_CODE_LIST")


@pytest.mark.parametrize(
    ("code", "faulty", "notes"),
    [
        ("91420100ma4klm0n5h", (), ("SUBJECT_CODE_REPAIRED",)),
        ("91420100MA4KLM0N5A", ("SUBJECT_CODE_CHECK_DIGIT",), ()),
        ("00000000000000000X", ("SUBJECT_CODE_PLACEHOLDER",), ()),
        ("91420100MA4KLM0N5", ("SUBJECT_CODE_FORMAT",), ()),
        ("N2420111MF1234567E", (), ()),
    ],
)
def test_subject_codes(code: str, faulty: tuple[str, ...] | None, notes: tuple[str, ...]) -> None:
    given = samples.read(samples.record("enterprise-registration", subject_code=code))
    assert tuple(n.code for n in given.notes) == notes
    if faulty is None:
        assert given.faults
    else:
        assert tuple(f.code for f in given.faults) == faulty


def test_malformed_capital_is_answered_on_its_field() -> None:
    wrong = samples.record("enterprise-registration", payload_changes={"registered_capital": "3,0000000(万)"})
    assert faults(wrong) == {("FIELD_FORMAT", "registered_capital")}


def test_an_agency_may_send_only_what_is_its_own() -> None:
    assert ("CATALOGUE_NOT_OWNED", "item") in faults(
        samples.record("court-defaulter", agency="420000-hbt"), agency="420000-hbt"
    )
    assert ("AGENCY_UNKNOWN", "agency") in faults(samples.record(agency="420000-xxx"), agency="420000-xxx")


def test_the_key_must_be_the_record_no() -> None:
    given = samples.reader().read(samples.message(samples.framed(samples.record()), key=b"other"), samples.NOW)
    assert [f.code for f in given.faults] == ["KEY_MISMATCH"]


GOOD = samples.framed(samples.record())


@pytest.mark.parametrize(
    ("value", "code", "submission_id"),
    [
        (None, "UNDECODABLE", "credit.submit.420000-hbt.v1/2/7"),
        (b"", "UNDECODABLE", "credit.submit.420000-hbt.v1/2/7"),
        (b'{"json": true}', "UNDECODABLE", "credit.submit.420000-hbt.v1/2/7"),
        (GOOD[:30], "UNDECODABLE", "credit.submit.420000-hbt.v1/2/7"),
        (GOOD[:-1], "UNDECODABLE", "s-1"),
        (GOOD + b"\x00", "UNDECODABLE", "s-1"),
        (GOOD[:1] + b"\x00\x00\xff\xff" + GOOD[5:], "SCHEMA_UNKNOWN", "s-1"),
    ],
)
def test_what_cannot_be_read_is_answered_all_the_same(value: bytes | None, code: str, submission_id: str) -> None:
    given = samples.reader().read(samples.message(value), samples.NOW)
    assert [f.code for f in given.faults] == [code]
    assert (given.submission_id, given.record_no) == (submission_id, "r-1")


def test_content_is_what_the_record_says_not_how_it_was_sent() -> None:
    first = samples.read(samples.record())
    again = samples.read(
        samples.record(submission_id="s-2", action="correct", produced_at=samples.PRODUCED.replace(hour=10))
    )
    other = samples.read(samples.record(payload_changes={"CF_NR": "演示其他内容"}))
    assert first.content == again.content != other.content
    assert first.digest != again.digest
