"""The doors beside Kafka on the real stack: files with planted dirt, an interrupted import, the gRPC door."""

from __future__ import annotations

import base64
import csv
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

from deploy.local import passwords
from deploy.local.layout import REPO
from services.cli.synthetic.registrations import registrations
from services.kernel import money, uscc
from tests.support.road import Road, messages, organisation, submission
from tests.support.stack import eventually
from tests.unit.cli.intake_items import VINTAGES

AGENCY, ITEM = "420000-gsj", "enterprise-registration"
HBT = "420000-hbt"


def written(file: Path, rows: Iterable[Mapping[str, str]], encoding: str = "utf-8") -> Path:
    listed = list(rows)
    with file.open("w", encoding=encoding, newline="") as stream:
        csv.writer(stream).writerows([listed[0].keys(), *(row.values() for row in listed)])
    return file


def imported(road: Road, file: Path, *words: str, agency: str = AGENCY, item: str = ITEM) -> tuple[int, dict[str, Any]]:
    done = road.stack.credit("import", str(file), "--agency", agency, "--item", item, "--json", *words, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def answers(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_registrations_with_planted_dirt_are_each_answered_as_their_dirt_deserves(road: Road, tmp_path: Path) -> None:
    rows = [row | {"record_no": f"dirt-{organisation().uscc}"} for row in registrations(77, 2000)]
    rows[5]["注册日期"] = "去年"
    code, found = imported(road, written(tmp_path / "rows.csv", rows, "gb18030"))
    judged = [uscc.check(row["统一社会信用代码"]) for row in rows]
    wrong = [
        bool(each.fault) or (row["注册资金"] != "N/A" and money.capital(row["注册资金"]) is None)
        for each, row in zip(judged, rows, strict=True)
    ]
    lower = sum(each.repaired and not bad for each, bad in zip(judged, wrong, strict=True))
    assert (code, found["encoding"], found["rows"]) == (1, "gb18030", 2000)
    assert found["outcomes"] == {"ACCEPTED": 1999 - sum(wrong), "NOT_SENT": 1, "REFUSED": sum(wrong)}
    assert found["notes"]["SUBJECT_CODE_REPAIRED"] == lower > 0
    assert found["faults"].keys() == {"CELL_DATE", "FIELD_FORMAT", "SUBJECT_CODE_CHECK_DIGIT"}
    told = answers(Path(found["answers"]))
    assert [row["outcome"] == "REFUSED" for row in told] == wrong
    assert [row["record_no"] for row in told] == [row["record_no"] for row in rows]
    assert (told[5]["outcome"], told[5]["field"]) == ("NOT_SENT", "注册日期")


def test_the_same_command_again_sends_nothing_and_answers_the_same(road: Road, tmp_path: Path) -> None:
    row = next(registrations(78, 1)) | {"record_no": f"again-{organisation().uscc}"}
    row |= {"统一社会信用代码": organisation().uscc, "注册资金": "50(万元)"}
    file = written(tmp_path / "rows.csv", [row])
    assert [imported(road, file)[1]["outcomes"] for _ in range(2)] == [{"ACCEPTED": 1}] * 2
    assert imported(road, file, "--again")[1]["outcomes"] == {"DUPLICATE": 1}
    (tmp_path / "rows.csv.import").unlink()
    assert imported(road, file)[1]["outcomes"] == {"DUPLICATE": 1}


def acknowledged(journal: Path) -> int:
    """How many rows it says are on the topic; it is made empty, and written a moment later."""
    line = journal.read_bytes().partition(b"\n")[0]
    return json.loads(line)["rows"] if line else 0


def test_an_interrupted_import_goes_on_where_it_was_and_doubles_nothing(road: Road, tmp_path: Path) -> None:
    rows = [
        row | {"record_no": f"stop-{organisation().uscc}", "统一社会信用代码": organisation().uscc, "注册资金": "N/A"}
        for row in registrations(79, 20_000)
    ]
    file = written(tmp_path / "rows.csv", rows)
    command = [sys.executable, "-m", "services.cli", "import", str(file), "--agency", AGENCY, "--item", ITEM, "--json"]
    running = subprocess.Popen(command, env=road.stack.environment(), cwd=REPO, stderr=subprocess.PIPE, text=True)
    journal = tmp_path / "rows.csv.import"
    eventually(lambda: journal.exists() and acknowledged(journal), "rows are sent")
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "the same command goes on there" in said
    code, found = imported(road, file)
    assert (code, found["outcomes"]) == (0, {"ACCEPTED": 20_000})
    sent = Counter(
        told.record["submission_id"]
        for told in road.told(f"credit.receipts.{AGENCY}.v1", AGENCY)
        if told.record["submission_id"].startswith(found["run"]) and told.record["outcome"] == "ACCEPTED"
    )
    assert len(sent) == 20_000 and set(sent.values()) == {1}


@pytest.mark.parametrize(("item", "shape"), VINTAGES, ids=str)
def test_every_vintage_of_public_notices_is_accepted(road: Road, tmp_path: Path, item: str, shape: str) -> None:
    org = organisation()
    codes = {"91420100MA4KLM0N5H": org.uscc, "MA4KLM0N5": org.org_code, "420100000000014": org.reg_no}
    row = {name: codes.get(text, text).replace("1号", f"{org.uscc}号") for name, text in VINTAGES[item, shape].items()}
    _, found = imported(road, written(tmp_path / "rows.csv", [row]), agency=HBT, item=item)
    assert (found["shape"], found["outcomes"], found["faults"]) == (shape, {"ACCEPTED": 1}, {})


# --- gRPC ---


def call(road: Road, method: str, request: Any, agency: str = HBT, password: str = "", seconds: float = 20.0) -> Any:
    secret = password or passwords.existing(road.layout.secrets, agency)
    basic = base64.b64encode(f"{agency}:{secret}".encode()).decode()
    with grpc.insecure_channel(road.layout.address("ingestion.grpc")) as channel:
        stub: Any = messages("ingestion", "_grpc").SubmissionsStub(channel)
        return getattr(stub, method)(request, timeout=seconds, metadata=[("authorization", f"Basic {basic}")])


def asked(record: dict[str, Any], **changes: Any) -> Any:
    payload = json.dumps(record["payload"], default=lambda day: day.isoformat())
    same = ("submission_id", "item", "record_no", "subject_code", "subject_name")
    fields = {name: record[name] for name in same} | {"decided_on": record["decided_on"].isoformat()}
    return messages("ingestion").SubmitRequest(**fields | {"payload_json": payload} | changes)


def refusal(road: Road, method: str, request: Any, **how: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call(road, method, request, **how)
    return caught.value.code()  # pyright: ignore[reportAttributeAccessIssue] - grpc raises a call


def test_a_submission_by_grpc_has_the_receipt_that_the_topic_has(road: Road) -> None:
    record = submission("org-penalty", organisation())
    receipt = call(road, "Submit", asked(record))
    assert (receipt.outcome, receipt.submission_id) == ("ACCEPTED", record["submission_id"])
    told = road.receipts(HBT, [record["submission_id"]])[record["submission_id"]].record
    assert (told["record_id"], told["outcome"]) == (receipt.record_id, "ACCEPTED")
    again = call(road, "Submit", asked(record))
    assert (again.outcome, again.record_id) == ("DUPLICATE", receipt.record_id)
    road.changes("public", receipt.record_id, 1)


def test_what_is_wrong_is_refused_with_the_same_faults(road: Road) -> None:
    record = submission("org-penalty", organisation(), {"CF_SY": ""})
    receipt = call(road, "Submit", asked(record))
    assert receipt.outcome == "REFUSED"
    assert [(fault.code, fault.field) for fault in receipt.faults] == [("FIELD_MISSING", "CF_SY")]


def test_a_receipt_of_any_door_can_be_asked_for(road: Road) -> None:
    record = submission("org-penalty", organisation())
    road.submit(record)
    ask = messages("ingestion").GetReceiptRequest
    assert call(road, "GetReceipt", ask(submission_id=record["submission_id"])).outcome == "ACCEPTED"
    assert refusal(road, "GetReceipt", ask(submission_id="no-such")) is grpc.StatusCode.NOT_FOUND
    other = {"agency": AGENCY}
    assert refusal(road, "GetReceipt", ask(submission_id=record["submission_id"]), **other) is grpc.StatusCode.NOT_FOUND


def test_only_the_agency_itself_is_let_in(road: Road) -> None:
    request = asked(submission("org-penalty", organisation()))
    denied = grpc.StatusCode.UNAUTHENTICATED
    assert refusal(road, "Submit", request, password="wrong") is denied
    assert refusal(road, "Submit", request, agency="420000-zzz", password="x") is denied
    assert refusal(road, "Submit", request, agency="operator") is denied
    assert call(road, "Submit", request).outcome == "ACCEPTED"
    assert refusal(road, "Submit", request, password="wrong") is denied  # also while a session is open


def test_what_no_message_can_hold_is_not_sent(road: Road) -> None:
    record = submission("org-penalty", organisation())
    bad = grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(road, "Submit", asked(record, payload_json="[]")) is bad
    assert refusal(road, "Submit", asked(record, decided_on="yesterday")) is bad
    assert refusal(road, "Submit", asked(record, item="no-such-item")) is grpc.StatusCode.NOT_FOUND
    assert call(road, "Submit", asked(record)).outcome == "ACCEPTED"
