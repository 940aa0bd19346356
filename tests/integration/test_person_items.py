"""Permits and penalties of made-up persons, by all three doors: linked, shared with the government, never public.

The items are the shipped ones. Numbers, names and phones begin as those of test_persons.py, whose search finds them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import pytest

from deploy.local.layout import SERVICES
from services.chassis import outbox
from services.cli.outsider import Reader
from tests.integration.test_doors import asked, call, written
from tests.integration.test_persons import NAME, files_that_hold, holds, keys, number
from tests.support.road import Record, Road, beside, messages, numbers
from tests.support.stack import eventually
from tests.unit.cli import test_intake_persons as files
from tests.unit.ingestion import samples

pytestmark = pytest.mark.stack

AGENCY, BASE = "420000-gat", "22400"
ITEMS = ("person-permit", "person-penalty")
DAY = date(2017, 9, 28)


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """A stack of its own: what was taken in of who is erased cannot be replayed, and others replay theirs."""
    with beside(tmp_path_factory.mktemp("person-items"), BASE) as found:
        found.agency(AGENCY, *ITEMS)
        yield found


def record(n: int, item: str = "person-permit", payload: Mapping[str, Any] | None = None, **changes: Any) -> Record:
    serial = next(numbers)
    days = {field.code: DAY for field in samples.OF_PERSONS[item].fields if field.type == "date"}
    said = days | {"xm": f"{NAME}{n}", "bz": f"{NAME}{n}之家", "xkbh": None, **(payload or {})}
    whole = samples.of_person(item, subject_code=number(n), subject_name=f"{NAME}{n}", decided_on=DAY)
    whole |= {"agency": AGENCY, "submission_id": f"i-{serial}", "record_no": f"i-{serial}"}
    known = whole["payload"].keys()
    whole["payload"] |= {code: value for code, value in said.items() if code in known}
    return whole | {"produced_at": 1_506_600_000_000 + serial} | changes


def row(kind: str, shape: str, n: int, **changed: str) -> dict[str, str]:
    mine = {files.PERSON: number(n), files.NAME: f"{NAME}{n}"}
    cells = files.row(kind, shape, **changed)
    return {name: mine.get(text, text).replace("1号", f"{n}号") for name, text in cells.items()}


def by_file(road: Road, item: str, file: Path) -> dict[str, Any]:
    said = [word for name, value in files.SAID[item].items() for word in ("--set", f"{name}={value}")]
    command = ("import", str(file), "--agency", AGENCY, "--item", item, "--json", *said)
    told = eventually(lambda: road.stack.credit(*command, check=False).stdout, "the broker lets the file in")
    found: dict[str, Any] = json.loads(told)
    assert not holds(json.dumps(found, ensure_ascii=False).encode())
    return found


@pytest.fixture(scope="module")
def sent(road: Road, tmp_path_factory: pytest.TempPathFactory) -> dict[int, str]:
    """Record ids in hex by the number of the person: two by topic, six by file; all accepted and linked."""
    found = dict(zip((100, 101), road.accepted(record(100), record(101, "person-penalty")), strict=True))
    for at, (kind, shape) in enumerate(files.COLUMNS, 200):
        folder = tmp_path_factory.mktemp(f"{kind}-{shape}")
        report = by_file(road, f"person-{kind}", written(folder / "rows.csv", [row(kind, shape, at)]))
        assert (report["shape"], report["outcomes"], report["faults"]) == (shape, {"ACCEPTED": 1}, {})
        name = f"{report['run']}-2"
        found[at] = road.receipts(AGENCY, [name])[name].record["record_id"]
    wanted = "SELECT record_id FROM record_links WHERE rule = 'SUBJECT_ID'"

    def linked() -> bool:
        return {row["record_id"].hex() for row in road.stack.sql("identity", wanted)} >= set(found.values())

    eventually(linked, "all persons' records are linked")
    return found


def told(road: Road, feed: str, record_id: str) -> list[Record]:
    return [t.record for t in road.feed(feed) if t.record["record_id"].hex() == record_id]


def subject_of(road: Road, record_id: str) -> str:
    """The opaque id, as hex."""
    query = "SELECT subject_id FROM record_links WHERE record_id = $1"
    ((subject_id,),) = road.stack.sql("identity", query, bytes.fromhex(record_id))
    return subject_id.hex()


# --- what is taken, and what is not --------------------------------------------------------------------------------


def test_the_simple_procedure_is_refused_by_topic_and_by_grpc_and_does_not_leave_by_file(
    road: Road, tmp_path: Path
) -> None:
    (by_topic,) = road.submit(record(300, "person-penalty", {"cx": "简易程序"}))
    kind = {"subject_kind": "person", "subject_code_kind": "resident_id"}
    by_call = call(road, "Submit", asked(record(301, "person-penalty", {"cx": "简易程序"}), **kind), agency=AGENCY)
    (first,), (second,) = by_topic["faults"], by_call.faults
    assert {name: first[name] for name in second.DESCRIPTOR.fields_by_name} == {
        name: getattr(second, name) for name in second.DESCRIPTOR.fields_by_name
    }
    assert (first["code"], first["field"], first["example"]) == ("NOT_COLLECTED", "cx", "普通程序")
    assert first["clause"] == "person-penalty/2 cx; 河南省社会信用条例第十三条 (unverified)"
    assert "simple procedure" in first["rule"]
    rows = [row("penalty", "2018", 302) | {"处罚程序": text} for text in ("简易程序", "普通程序")]
    rows[1]["CF_WSH"] = "演罚〔2018〕303号"
    found = by_file(road, "person-penalty", written(tmp_path / "rows.csv", rows))
    assert (found["outcomes"], found["faults"]) == ({"ACCEPTED": 1, "NOT_SENT": 1}, {"NOT_COLLECTED": 1})


def test_a_record_that_came_by_grpc_is_taken_as_any_other(road: Road) -> None:
    given = record(304)
    kind = {"subject_kind": "person", "subject_code_kind": "resident_id"}
    receipt = call(road, "Submit", asked(given, **kind), agency=AGENCY)
    assert (receipt.outcome, receipt.submission_id) == ("ACCEPTED", given["submission_id"])


@pytest.mark.parametrize("item", ITEMS)
def test_the_sample_that_an_agency_is_given_is_accepted_as_its_sender_sends_it(road: Road, item: str) -> None:
    folder = road.layout.var / "agencies" / AGENCY
    file = folder / f"{item}.json"
    done = subprocess.run(
        [sys.executable, str(folder / "send.py"), str(file)], capture_output=True, text=True, timeout=100, check=False
    )
    assert json.loads(done.stdout)["outcome"] == "ACCEPTED", done.stderr


def test_who_was_not_given_the_items_may_not_send_them(road: Road) -> None:
    """To be an agency that an item names is not enough where it is about persons."""
    other = "420000-slt"
    (receipt,) = road.submit(record(305, agency=other))
    assert "CATALOGUE_NOT_OWNED" in {fault["code"] for fault in receipt["faults"]}


# --- who sees it ---------------------------------------------------------------------------------------------------


def test_every_record_is_on_the_government_feed_without_name_and_number(road: Road, sent: dict[int, str]) -> None:
    for n, record_id in sent.items():
        (added,) = road.changes("government", record_id, 1)
        assert (added["change"], added["subject_id"].hex()) == ("ADDED", subject_of(road, record_id)), n
        assert (added["subject_name"], added["subject_code"]) in (("", ""), (None, None))
        shown = added["after"]
        assert {"wh", "lb", "rq", "jg", "zt"} <= shown.keys()
        assert not shown.keys() & {"xm", "bz", "xkbh", "zkdx"}
        assert ("nr" in shown) == (added["item"] == "person-permit")


def test_no_record_is_on_the_public_feed(road: Road, sent: dict[int, str]) -> None:
    for record_id in sent.values():
        road.changes("government", record_id, 1)
    assert not [told(road, "public", record_id) for record_id in sent.values() if told(road, "public", record_id)]


def test_the_government_looks_a_person_up_by_subject_id_and_nobody_by_anything_else(
    road: Road, sent: dict[int, str]
) -> None:
    road.changes("government", sent[100], 1)
    pb: Any = messages("disclosure")
    subject_id = subject_of(road, sent[100])

    def question(channel: int, **key: Any) -> Any:
        inquiry = pb.Inquiry(channel=channel, caller="演示单位", purpose="演示")
        return pb.GetSubjectRequest(inquiry=inquiry, subject=pb.SubjectKey(**key))

    def refused(channel: int, **key: Any) -> Any:
        with pytest.raises(grpc.RpcError) as caught:
            road.ask("disclosure", "GetSubject", question(channel, **key))
        return caught.value.code()  # pyright: ignore[reportAttributeAccessIssue] - grpc raises a call

    found = road.ask("disclosure", "GetSubject", question(pb.CHANNEL_GOVERNMENT, subject_id=subject_id)).subject
    assert (found.records, found.subject_name, list(found.codes)) == (1, "", [])
    assert refused(pb.CHANNEL_PUBLIC, subject_id=subject_id) is grpc.StatusCode.NOT_FOUND
    code = pb.Code(kind="resident_id", code=number(100))
    assert refused(pb.CHANNEL_GOVERNMENT, code=code) is grpc.StatusCode.INVALID_ARGUMENT
    words = ("subject", subject_id, "--kind", "subject_id", "--json")
    shown = json.loads(road.stack.credit(*words, "--channel", "government").stdout)
    assert [one["record_id"] for one in shown["records"]] == [sent[100]]
    assert road.stack.credit(*words, check=False).returncode == 1


# --- where it lies -------------------------------------------------------------------------------------------------


def test_no_topic_but_the_submit_topic_holds_a_person(road: Road, sent: dict[int, str]) -> None:
    found: set[str] = set()
    with Reader(road.layout) as reader:
        for message in reader.read(reader.topics("credit.")):
            parts = (message.key(), message.value(), *(value for _, value in message.headers() or ()))
            if any(holds(part if isinstance(part, bytes) else str(part).encode()) for part in parts if part):
                found.add(str(message.topic()))
    assert sent
    assert f"credit.submit.{AGENCY}.v1" in found  # so the search finds what is there
    assert {topic for topic in found if not topic.startswith("credit.submit.")} == set()
    logs = (road.layout.var / "kafka").rglob("*.log")
    assert files_that_hold(file for file in logs if not file.parent.name.startswith("credit.submit.")) == []


def test_no_database_log_or_metric_holds_a_person(road: Road, sent: dict[int, str]) -> None:
    assert sent
    for service in SERVICES:
        for line in road.stack.sql(service, "SELECT blob FROM outbox"):  # compressed
            assert not holds(repr(outbox.events(line["blob"])).encode())
        port = road.layout.address(f"{service}.http")
        with urllib.request.urlopen(f"http://{port}/metrics", timeout=10) as answer:
            assert not holds(answer.read())
    assert files_that_hold((road.layout.var / "postgres").rglob("*")) == []
    assert files_that_hold(road.layout.logs.rglob("*")) == []


# --- one is erased -------------------------------------------------------------------------------------------------


SHOWN = "SELECT * FROM disclosed_records WHERE (subject_id = $1) = $2 ORDER BY subject_id, record_id"
COUNTED = "SELECT * FROM subject_files WHERE (subject_id = $1) = $2 ORDER BY subject_id"


def stored(road: Road, query: str, subject_id: bytes, own: bool = True) -> list[tuple[Any, ...]]:
    """Rows of this person, or of all others."""
    return [tuple(row.values()) for row in road.stack.sql("disclosure", query, subject_id, own)]


def erase(road: Road, folder: Path, n: int) -> dict[str, Any]:
    code = folder / "number"
    code.write_text(number(n), encoding="utf-8")
    done = road.stack.credit("erase", "--code-file", str(code), "--reason", "演示：本人申请", "--json")
    certificate: dict[str, Any] = json.loads(done.stdout)
    return certificate


def test_who_was_erased_is_shown_no_more_and_everybody_else_as_before(
    road: Road, sent: dict[int, str], tmp_path: Path
) -> None:
    for record_id in sent.values():
        road.changes("government", record_id, 1)
    subject_id = bytes.fromhex(subject_of(road, sent[100]))
    (kept,) = stored(road, COUNTED, subject_id)
    others = [stored(road, query, subject_id, False) for query in (SHOWN, COUNTED)]
    certificate = erase(road, tmp_path, 100)
    _, gone = road.changes("government", sent[100], 2)
    assert (gone["change"], gone["reason"], gone["subject_seq"]) == ("WITHDRAWN", "SUBJECT_ERASED", kept[2] + 1)
    assert (gone["before"], gone["after"], gone["item"], gone["agency"]) == (None, None, "", "")
    eventually(lambda: not stored(road, SHOWN, subject_id), "nothing of the erased person is in the store")
    assert stored(road, COUNTED, subject_id) == [(subject_id, 0, kept[2] + 1, True)]
    for query, before in zip((SHOWN, COUNTED), others, strict=True):
        assert set(before) <= set(stored(road, query, subject_id, False))
    words = ("subject", subject_id.hex(), "--kind", "subject_id", "--json", "--channel", "government")
    assert road.stack.credit(*words, check=False).returncode == 1
    assert erase(road, tmp_path, 100) == certificate
    replayed = json.loads(road.stack.credit("replay", "disclosure", "--json").stdout)
    assert replayed["equal"] is True
    assert json.loads(road.stack.credit("reconcile", "--json").stdout)["equal"] is True
    assert len(told(road, "government", sent[100])) == 2


def test_who_was_erased_is_taken_in_no_more_and_the_others_are(
    road: Road, sent: dict[int, str], tmp_path: Path
) -> None:
    subject_id = bytes.fromhex(subject_of(road, sent[100]))
    assert erase(road, tmp_path, 100)["statement"]["subject_id"] == subject_id.hex()
    assert keys(road)[subject_id] is None

    def refused() -> bool:
        """Within a minute, when ingestion's last copy of the key is gone."""
        (receipt,) = road.submit(record(100))
        return [fault["code"] for fault in receipt["faults"]] == ["SUBJECT_ERASED"]

    eventually(refused, "nothing more is taken in of who was erased", 90)
    first, second = road.accepted(record(101), record(101, "person-penalty"))
    for record_id in (first, second):
        road.changes("government", record_id, 1)
    # What was still taken in meanwhile, while a copy of the key was left, has been linked by now and is not shown.
    linked = "SELECT record_id FROM record_links WHERE subject_id = $1"
    records = {row["record_id"] for row in road.stack.sql("identity", linked, subject_id)}
    stands = "SELECT record_id FROM record_standing WHERE subject_id = $1"

    def all_stand() -> bool:
        return {row["record_id"] for row in road.stack.sql("disclosure", stands, subject_id)} == records

    eventually(all_stand, "disclosure has heard of all records of the erased person")
    assert stored(road, SHOWN, subject_id) == []
    assert all(len(told(road, "government", record_id.hex())) in (0, 2) for record_id in records)
