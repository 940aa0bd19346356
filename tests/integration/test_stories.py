"""One story per service, told from outside: what agencies send, what comes back and who is shown what."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import grpc
import pytest

from tests.support.road import AGENCY_OF, OFFICE, WELL, Record, Road, Told, again, messages, organisation, submission
from tests.support.stack import eventually

pytestmark = pytest.mark.usefixtures("well_behaved")

TASKS_OF = {"420000-gsj": 3, "420000-hbt": 4, "420000-gsui": 2, "420100-xyb": 3}  # measures of fgcj-2016-141


# --- ingestion ---------------------------------------------------------------------------------------------------


def test_a_record_is_reported_repeated_corrected_and_withdrawn(road: Road) -> None:
    first = submission("org-penalty", organisation())
    (accepted,) = road.submit(first)
    assert accepted["outcome"] == "ACCEPTED"
    assert accepted["record_id"]
    same_again = again(first, "report")
    corrected = again(first, "correct", CF_NR="罚款三千元", CF_NR_FK="0.3")
    withdrawn = again(corrected, "withdraw")
    late = again(corrected, "correct", CF_NR="罚款四千元")
    outcomes = [
        (receipt["outcome"], [fault["code"] for fault in receipt["faults"]])
        for receipt in road.submit(same_again, corrected, withdrawn, late)
    ]
    assert outcomes == [("DUPLICATE", []), ("ACCEPTED", []), ("ACCEPTED", []), ("REFUSED", ["ALREADY_WITHDRAWN"])]


def test_an_accepted_submission_sent_again_is_the_same_record(road: Road) -> None:
    first = submission("org-permit", organisation())
    (record_id,) = road.accepted(first)
    road.send(first)
    topic = "credit.receipts.420000-hbt.v1"

    def answers() -> list[Record]:
        heard = [t.record for t in road.told(topic, "420000-hbt")]
        return [r for r in heard if r["submission_id"] == first["submission_id"]]

    eventually(lambda: len(answers()) == 2, "the repeated submission is answered too")
    assert [(r["outcome"], r["record_id"]) for r in answers()] == [("ACCEPTED", record_id), ("DUPLICATE", record_id)]


def test_a_refusal_teaches(road: Road) -> None:
    org = organisation()
    wrong = org.uscc[:-1] + ("A" if org.uscc[-1] != "A" else "B")
    bad = submission("org-penalty", org, {"CF_XDR_SHXYM": wrong, "CF_NR_FK": None}, subject_code=wrong)
    (receipt,) = road.submit(bad)
    assert receipt["outcome"] == "REFUSED"
    assert receipt["record_id"] is None
    faults = {fault["code"]: fault for fault in receipt["faults"]}
    assert {"SUBJECT_CODE_CHECK_DIGIT", "FIELD_MISSING"} <= faults.keys()
    fault = faults["SUBJECT_CODE_CHECK_DIGIT"]
    assert fault["field"] == "subject_code"
    assert "GB 32100" in fault["clause"]
    assert fault["message_zh"]
    assert fault["message_en"]
    assert fault["example"]
    assert wrong not in json.dumps(receipt, ensure_ascii=False, default=str), "a fault never repeats the value"


def test_a_receipt_has_the_key_of_its_submission_and_cloudevents_headers(road: Road) -> None:
    first = submission("credit-commitment", organisation())
    road.submit(first)
    (told,) = road.receipts("420100-xyb", [first["submission_id"]]).values()
    assert told.key == first["record_no"].encode()
    assert told.headers["ce_specversion"] == b"1.0"
    assert told.headers["ce_type"] == b"cn.hubei.credit.receipt.v1"
    assert told.headers["ce_source"] == b"/creditbus/ingestion"
    assert told.headers["ce_subject"] == first["submission_id"].encode()
    assert told.headers["ce_id"] == told.headers["origin"] + b"/" + told.headers["position"]
    assert told.headers["ce_time"]


def test_every_item_of_the_catalogue_can_be_reported(road: Road) -> None:
    org = organisation()
    road.accepted(*(submission(item, org) for item in AGENCY_OF))


# --- identity ------------------------------------------------------------------------------------------------------


def by_reg_no(item: str, org: Any, **envelope: Any) -> Record:
    """A report that knows its subject by an old registration number only."""
    codes = {"CF_XDR_SHXYM": None, "CF_XDR_GSZC": org.reg_no}
    return submission(item, org, codes, subject_code_kind="reg_no", subject_code=org.reg_no, **envelope)


def review(road: Road, record_id: str) -> Any:
    """Where a record stands in identity; None while it has not come there."""
    try:
        return road.ask("identity", "GetReview", messages("identity").GetReviewRequest(record_id=record_id))
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise


def linked(road: Road, record_id: str) -> list[Told]:
    """What identity has said of a record."""
    told = road.told("credit.identity.record.v1")
    return [t for t in told if t.record["record_id"].hex() == record_id]


def test_a_record_with_an_old_number_waits_until_a_mapping_brings_the_code(road: Road) -> None:
    org = organisation()
    (record_id,) = road.accepted(by_reg_no("org-penalty", org))
    (waiting,) = eventually(lambda: review(road, record_id), "in review").items
    assert (waiting.state, waiting.reason, waiting.code_kind) == ("WAITING", "CODE_UNKNOWN", "reg_no")
    assert waiting.can_be_mapped
    assert not linked(road, record_id)
    road.accepted(submission("code-mapping", org))
    (change,) = road.changes("public", record_id, 1)
    assert change["change"] == "ADDED"
    settled = review(road, record_id)
    assert [item.state for item in settled.items] == ["LINKED"]
    assert settled.explain.rule == "REG_NO"
    assert list(settled.explain.evidence_kinds) == ["reg_no", "code-mapping"]
    assert [t.record["link_rule"] for t in linked(road, record_id)] == ["REG_NO"]
    named = messages("identity").GetSubjectRequest(code_kind="reg_no", code=org.reg_no)
    assert road.ask("identity", "GetSubject", named).subject_id == settled.subject_id


def test_a_name_alone_never_links(road: Road) -> None:
    org = organisation()
    stranger = organisation()
    namesake = by_reg_no("org-penalty", stranger, subject_name=org.name)
    namesake["payload"]["CF_XDR_MC"] = org.name
    registration = submission("enterprise-registration", org)
    record_id, registered = road.accepted(namesake, registration)
    road.changes("public", registered, 1)
    (waiting,) = eventually(lambda: review(road, record_id), "in review").items
    assert waiting.state == "WAITING"
    assert not linked(road, record_id)


# --- disclosure ----------------------------------------------------------------------------------------------------


def inquiry(channel: str) -> Any:
    """Who asks and what for."""
    pb = messages("disclosure")
    return pb.Inquiry(channel=pb.Channel.Value(f"CHANNEL_{channel.upper()}"), caller="演示处", purpose="测试")


def subject(road: Road, channel: str, uscc: str) -> Any:
    """A subject by its code; None while it is not known."""
    pb = messages("disclosure")
    key = pb.SubjectKey(code=pb.Code(kind="uscc", code=uscc))
    try:
        request = pb.GetSubjectRequest(inquiry=inquiry(channel), subject=key)
        return road.ask("disclosure", "GetSubject", request).subject
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise


def shown(road: Road, channel: str, subject_id: str) -> dict[str, Any]:
    """The records of a subject that a channel may see, by id."""
    pb = messages("disclosure")
    request = pb.ListRecordsRequest(inquiry=inquiry(channel), subject_id=subject_id, page_size=500)
    return {record.record_id: record for record in road.ask("disclosure", "ListRecords", request).records}


def test_what_is_shown_of_a_subject_follows_its_records(road: Road) -> None:
    org = organisation()
    penalty = submission("org-penalty", org)
    registered, punished, mapped = road.accepted(
        submission("enterprise-registration", org), penalty, submission("code-mapping", org)
    )
    for record_id in (registered, punished, mapped):
        road.changes("government", record_id, 1)
    for record_id in (registered, punished):
        road.changes("public", record_id, 1)
    found = eventually(lambda: subject(road, "public", org.uscc), "the subject is known")
    eventually(lambda: subject(road, "public", org.uscc).subject_name == org.name, "its name is known")
    assert shown(road, "public", found.subject_id).keys() == {registered, punished}
    assert shown(road, "government", found.subject_id).keys() == {registered, punished, mapped}
    assert subject(road, "public", org.uscc).records == 2
    assert subject(road, "government", org.uscc).records == 3

    correction = again(penalty, "correct", CF_NR="罚款三千元", CF_NR_FK="0.3")
    road.accepted(correction)
    for feed in ("public", "government"):
        _, change = road.changes(feed, punished, 2)
        assert change["change"] == "CORRECTED"
        assert change["fields_changed"] == ["CF_NR", "CF_NR_FK"]
        assert (change["before"]["CF_NR"], change["after"]["CF_NR"]) == ("罚款二千元", "罚款三千元")
    record = shown(road, "public", found.subject_id)[punished]
    assert (record.version, record.fields["CF_NR_FK"]) == (2, "0.3")

    road.accepted(again(correction, "withdraw"))
    for feed in ("public", "government"):
        *_, change = road.changes(feed, punished, 3)
        assert (change["change"], change["reason"], change["after"]) == ("WITHDRAWN", "BY_AGENCY", None)
        assert change["before"]["CF_NR"] == "罚款三千元"
    assert shown(road, "public", found.subject_id).keys() == {registered}
    assert shown(road, "government", found.subject_id).keys() == {registered, mapped}

    subject_id = bytes.fromhex(found.subject_id)
    of = {f: [t.record for t in road.feed(f) if t.record["subject_id"] == subject_id] for f in ("public", "government")}
    assert [c["subject_seq"] for c in of["public"]] == [1, 2, 3, 4]
    assert [c["subject_seq"] for c in of["government"]] == [1, 2, 3, 4, 5]
    assert {c["item"] for c in of["public"]} == {"enterprise-registration", "org-penalty"}
    assert mapped in {c["record_id"].hex() for c in of["government"]}
    assert subject(road, "public", org.uscc).subject_seq == 4
    assert subject(road, "government", org.uscc).subject_seq == 5


def test_the_name_of_a_legal_representative_is_never_shown(road: Road) -> None:
    org = organisation()
    name = "演示法定代表人之名"
    penalty = submission("org-penalty", org, {"CF_FRDB": name})
    permit = submission("org-permit", org, {"XK_FRDB": name})
    ids = road.accepted(penalty, permit)
    road.accepted(again(penalty, "correct", CF_FRDB=name + "二", CF_NR="罚款三千元"))
    changes = [c for feed in ("public", "government") for c in road.changes(feed, ids[0], 2)]
    changes += [c for feed in ("public", "government") for c in road.changes(feed, ids[1], 1)]
    assert name not in json.dumps(changes, ensure_ascii=False, default=str)
    assert not any("FRDB" in json.dumps(change, default=str) for change in changes)
    subject_id = changes[0]["subject_id"].hex()
    for channel in ("public", "government"):
        records = shown(road, channel, subject_id)
        assert records.keys() == set(ids)
        assert not any(name in str(record) or "FRDB" in str(record.fields) for record in records.values())


def test_nobody_is_answered_without_channel_caller_and_purpose(road: Road) -> None:
    pb = messages("disclosure")
    key = pb.SubjectKey(code=pb.Code(kind="uscc", code=OFFICE))
    for asked in (
        pb.Inquiry(caller="演示处", purpose="测试"),
        pb.Inquiry(channel=1, purpose="测试"),
        pb.Inquiry(channel=1),
    ):
        with pytest.raises(grpc.RpcError) as refused:
            road.ask("disclosure", "GetSubject", pb.GetSubjectRequest(inquiry=asked, subject=key))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


# --- sanctions -----------------------------------------------------------------------------------------------------


def tasks(road: Road, department: str, record_id: str) -> list[Record]:
    """What a department has been told about a record, read with its own password; refusals name no record."""
    heard = [t.record for t in road.told(f"credit.sanctions.task.{department}.v1", department)]
    ids = {r["task_id"] for r in heard if r["record_id"] and r["record_id"].hex() == record_id}
    return [r for r in heard if r["task_id"] in ids]


def test_a_court_defaulter_makes_tasks_that_are_answered_and_lifted(road: Road) -> None:
    org = organisation()
    listing = submission("court-defaulter", org)
    (record_id,) = road.accepted(listing)
    for department, how_many in TASKS_OF.items():
        eventually(lambda d=department, n=how_many: len(tasks(road, d, record_id)) >= n, f"tasks of {department}")
        opened = tasks(road, department, record_id)
        assert [t["change"] for t in opened] == ["OPENED"] * how_many
        assert {(t["department"], t["subject_code"], t["subject_name"]) for t in opened} == {
            (department, org.uscc, org.name)
        }
        assert all(t["measure_text"] and t["article"] and t["due_on"] for t in opened)

    mine = tasks(road, "420000-gsj", record_id)[0]["task_id"]
    given = road.agency("420000-gsj").feed_back(mine)
    eventually(lambda: status(road, "420000-gsj", mine) == "CLOSED", "the feedback has closed its task")
    road.agency("420000-hbt").feed_back(mine)

    def refusals() -> list[Record]:
        heard = [t.record for t in road.told("credit.sanctions.task.420000-hbt.v1", "420000-hbt")]
        return [r for r in heard if r["task_id"] == mine]

    (refusal,) = eventually(refusals, "the wrong department is answered")
    assert refusal["change"] == "FEEDBACK_REFUSED"
    assert [fault["code"] for fault in refusal["faults"]] == ["AGENCY_MISMATCH"]
    assert (refusal["record_id"], refusal["measure_text"]) == (None, ""), "of a task of another nothing is told"

    road.accepted(again(listing, "withdraw"))
    for department, how_many in TASKS_OF.items():

        def lifted(d: str = department) -> Counter[str]:
            return Counter(t["change"] for t in tasks(road, d, record_id))

        eventually(lambda n=how_many, c=lifted: c()["LIFTED"] >= n, f"{department} is told to end its measures")
        assert lifted()["OPENED"] == lifted()["LIFTED"] == how_many
    closed = [t for t in tasks(road, "420000-gsj", record_id) if t["change"] == "CLOSED"]
    assert [(t["task_id"], t["feedback_id"]) for t in closed] == [(mine, given["feedback_id"])]
    assert status(road, "420000-gsj", mine) == "LIFTED"
    versions = {t["change"]: t["task_version"] for t in tasks(road, "420000-gsj", record_id) if t["task_id"] == mine}
    assert versions == {"OPENED": 1, "CLOSED": 2, "LIFTED": 3}


def status(road: Road, department: str, task_id: str) -> str:
    """Where a task stands by sanctions' own word."""
    token = ""
    while True:
        pb = messages("sanctions")
        asked = pb.ListTasksRequest(department=department, page_size=500, page_token=token)
        page = road.ask("sanctions", "ListTasks", asked)
        for task in page.tasks:
            if task.task_id == task_id:
                return str(task.status)
        token = page.next_page_token
        if not token:
            return ""


# --- national_sync -------------------------------------------------------------------------------------------------


def exchange(road: Road, record_id: str) -> Any:
    """A record's exchange in the ledger; None while there is none."""
    try:
        return road.ask(
            "national_sync", "GetExchange", messages("national_sync").GetExchangeRequest(record_id=record_id)
        )
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise


def settled(road: Road, record_id: str) -> Any:
    """The exchange once it is final."""

    def final() -> Any:
        found = exchange(road, record_id)
        return found if found and found.state in ("ACKNOWLEDGED", "REFUSED") else None

    return eventually(final, f"the exchange of {record_id} is final", 90)


def assert_reconciled(road: Road) -> None:
    """The ledger and the platform count the same records."""

    def agree() -> bool:
        done = road.program("national_sync", "reconcile")
        assert done.returncode in (0, 1), done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return all(line["ledger"] == line["national"] and not line["waiting"] for line in lines)

    eventually(agree, "ledger and platform agree", 90)


def test_permit_penalty_and_mapping_reach_the_national_platform(road: Road) -> None:
    org = organisation()
    permit = submission("org-permit", org)
    ids = road.accepted(permit, submission("org-penalty", org), submission("code-mapping", org))
    for record_id in ids:
        found = settled(road, record_id)
        assert (found.state, found.held, found.version) == ("ACKNOWLEDGED", True, 1)
    road.accepted(again(permit, "withdraw"))
    eventually(lambda: (e := exchange(road, ids[0])).version == 2 and e.state == "ACKNOWLEDGED", "withdrawn there too")
    assert not exchange(road, ids[0]).held
    assert_reconciled(road)


def test_a_refusal_of_the_platform_is_in_the_ledger_with_its_code(road: Road) -> None:
    road.national("/v1/behaviour", {**WELL, "refuse_rate": 1})
    try:
        (record_id,) = road.accepted(submission("org-permit", organisation()))
        found = settled(road, record_id)
    finally:
        road.national("/v1/behaviour", WELL)
    assert (found.state, found.held) == ("REFUSED", False)
    assert [(a.verdict, a.code) for a in found.answers] == [("REFUSED", "SPOT_CHECK")]
    (told,) = [t.record for t in exchanges(road, [record_id]) if t.record["state"] == "REFUSED"]
    assert (told["answer_code"], told["answer_text"]) == ("SPOT_CHECK", "抽查未通过")


def exchanges(road: Road, ids: list[str]) -> list[Told]:
    """What national_sync has said of these records."""
    told = road.told("credit.national-sync.exchange.v1")
    return [t for t in told if t.record["exchange_id"].hex() in ids]


@pytest.mark.parametrize("mishap", ["fail_rate", "lose_rate", "garbage_rate", "busy_rate"])
def test_whatever_the_platform_does_every_record_ends_acknowledged_once(road: Road, mishap: str) -> None:
    road.national("/v1/behaviour", {**WELL, mishap: 1, "delay_ms": 50})
    try:
        records = [submission("org-permit", organisation()) for _ in range(40)]
        ids = road.accepted(*records)

        def troubled() -> bool:
            return any(t.record["state"] == "RETRYING" for t in exchanges(road, ids))

        eventually(troubled, "the platform has misbehaved towards these records", 30)
    finally:
        road.national("/v1/behaviour", WELL)
    for record_id in ids:
        assert settled(road, record_id).state == "ACKNOWLEDGED"
    eventually(lambda: final_states(road, ids).keys() == set(ids), "every end is told")
    assert set(final_states(road, ids).values()) == {("ACKNOWLEDGED",)}
    assert_reconciled(road)


def final_states(road: Road, ids: list[str]) -> dict[str, tuple[str, ...]]:
    """The final states told of each record, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for told in exchanges(road, ids):
        if told.record["state"] in ("ACKNOWLEDGED", "REFUSED"):
            record_id = told.record["exchange_id"].hex()
            found[record_id] = (*found.get(record_id, ()), told.record["state"])
    return found
