"""A new agency, from the shipped register to its first accepted record; and what becomes of records that are wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import REPO
from tests.support import java_sender
from tests.support.road import Record, Road, again, organisation, submission
from tests.support.stack import eventually

NEW, PARENT, COUNTY = "420000-jtt", "420200-xyb", "420202-xyb"
ROLES = ("--chief", "演示办公室", "--business", "演示信用科", "--technical", "演示信息中心")


def told(road: Road, *words: str) -> Any:
    return json.loads(road.stack.credit(*words, "--json").stdout)


@pytest.fixture(scope="module")
def added(road: Road, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """An agency of which nobody says anything but its code."""
    folder = tmp_path_factory.mktemp("samples") / NEW
    return told(road, "agency", "add", NEW, "--samples", str(folder), *ROLES)


def sent(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def accepted(road: Road) -> set[tuple[str, str]]:
    lines = road.stack.credit("receipts", "--agency", NEW, "--outcome", "ACCEPTED", "--json").stdout.splitlines()
    return {(receipt["item"], receipt["submission_id"]) for receipt in map(json.loads, lines)}


# --- a new agency ------------------------------------------------------------------------------------------------


def test_from_a_code_to_the_first_accepted_record(road: Road, added: Record) -> None:
    done = sent(sys.executable, f"{added['samples']}/send.py")
    assert done.returncode == 0, done.stdout + done.stderr
    receipt = json.loads(done.stdout)
    assert (receipt["outcome"], receipt["faults"]) == ("ACCEPTED", [])
    assert (receipt["item"], receipt["submission_id"]) in accepted(road)


def test_the_java_sender_does_the_same(road: Road, added: Record) -> None:
    folder = Path(added["samples"])
    try:
        command = java_sender.command(folder / "Send.java")
    except java_sender.Unavailable as reason:
        pytest.skip(str(reason))
    done = sent(*command, str(folder / "org-permit.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    receipt = json.loads(done.stdout.splitlines()[-1])
    assert ("org-permit", receipt["submission_id"]) in accepted(road)


def test_a_sender_is_told_what_to_mend_and_sends_it_again_under_the_same_number(added: Record) -> None:
    folder = Path(added["samples"])
    record = json.loads((folder / "org-penalty.json").read_text(encoding="utf-8"))
    wrong = folder / "wrong.json"
    wrong.write_text(json.dumps(record | {"payload": record["payload"] | {"CF_CFLB": "警示"}}), encoding="utf-8")
    done = sent(sys.executable, f"{added['samples']}/send.py", str(wrong))
    assert done.returncode == 1, done.stdout + done.stderr
    (fault,) = json.loads(done.stdout)["faults"]
    assert (fault["code"], fault["field"]) == ("FIELD_CODE_LIST", "CF_CFLB")
    assert (fault["received"], fault["example"]) == ("length=2 shape=字字 at=2", "警告")
    assert "警示" not in done.stdout
    wrong.write_text(json.dumps(record | {"payload": record["payload"] | {"CF_CFLB": fault["example"]}}))
    mended = sent(sys.executable, f"{added['samples']}/send.py", str(wrong))
    assert json.loads(mended.stdout)["outcome"] == "ACCEPTED"


def test_what_the_register_knows_need_not_be_said(road: Road, added: Record) -> None:
    shown = told(road, "agency", "show", NEW)
    assert (shown["name_zh"], shown["tier"], shown["kind"]) == ("省交通厅", "province", "department")
    assert shown["expected_since"] == "2017-03-31"
    assert shown["items"] == added["items"]
    assert shown["quota"].keys() == {"producer_byte_rate", "consumer_byte_rate"}
    assert min(shown["quota"].values()) > 0


def test_who_answers_for_an_agency_is_on_no_topic(road: Road, added: Record) -> None:
    offices = {"chief": "演示办公室", "business": "演示信用科", "technical": "演示信息中心"}
    assert told(road, "agency", "show", NEW)["roles"] == offices
    heard = [t.record for t in road.told("credit.ingestion.agency.v1") if t.record["code"] == NEW]
    assert heard and heard[-1]["kind"] == "department"
    assert not any(office in str(heard) for office in offices.values())


def test_to_add_it_again_changes_nothing(road: Road, added: Record) -> None:
    before = [t for t in road.told("credit.ingestion.agency.v1") if t.record["code"] == NEW]
    again_added = told(road, "agency", "add", NEW, "--samples", added["samples"], *ROLES)
    assert again_added == added
    assert [t for t in road.told("credit.ingestion.agency.v1") if t.record["code"] == NEW] == before


def test_the_list_tells_who_may_submit(road: Road, added: Record) -> None:
    lines = road.stack.credit("agency", "list", "--tier", "province", "--json").stdout.splitlines()
    rows = {row["code"]: row for row in map(json.loads, lines)}
    assert rows[NEW]["registered"] is True
    assert rows["420000-daj"]["registered"] is False
    assert sum(row["group"] != "" for row in rows.values()) == 51


def test_the_operator_is_told_of_a_parent_that_is_not_registered(road: Road, tmp_path: Path) -> None:
    words = ("agency", "add", COUNTY, "--samples", str(tmp_path))
    assert [note for note in told(road, *words)["notes"] if PARENT in note]
    told(road, "agency", "add", PARENT, "--samples", str(tmp_path))
    assert told(road, *words)["notes"] == []


@pytest.mark.parametrize(
    ("more", "remedy"),
    [
        (("--chief", "演示某"), "roles.chief"),
        (("--parent", "420300-xyb"), "parent"),
        (("--expected-since", "1980-01-01"), "expected_since"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_line(road: Road, more: tuple[str, ...], remedy: str) -> None:
    done = road.stack.credit("agency", "add", COUNTY, *more, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert remedy in done.stderr


def test_the_repository_keeps_no_sample(added: Record) -> None:
    """The senders are copied as they are: whoever runs them leaves nothing beside the originals."""
    assert sorted(p.name for p in (REPO / "services" / "cli" / "sample").iterdir() if p.is_file()) == [
        "Send.java",
        "pom.xml",
        "send.py",
    ]
    shutil.rmtree(Path(added["samples"]) / "__pycache__", ignore_errors=True)


# --- a thousand records, seven of them wrong ---------------------------------------------------------------------


PLANTED: list[tuple[str, str, Record]] = [
    ("FIELD_CODE_LIST", "CF_CFLB", {"CF_CFLB": "罚金"}),
    ("FIELD_MISSING", "CF_NR_FK", {"CF_NR_FK": None}),
    ("FIELD_MISSING", "CF_WSH", {"CF_WSH": " "}),
    ("FIELD_FORMAT", "CF_NR_FK", {"CF_NR_FK": "2,000"}),
    ("FIELD_LENGTH", "CF_WSH", {"CF_WSH": "演" * 129}),
    ("FIELD_ORDER", "CF_YXQ", {"CF_YXQ": date(2016, 9, 28)}),
    ("FIELD_CODE_LIST", "CF_XDR_LB", {"CF_XDR_LB": "自然人"}),
]
TOTAL, EVERY = 1000, 140


def test_of_a_thousand_records_seven_are_refused_each_with_its_fault_and_then_mended(road: Road) -> None:
    org = organisation()
    good = [submission("org-penalty", org) for _ in range(TOTAL)]
    places = {EVERY * n + 7: planted for n, planted in enumerate(PLANTED)}
    records = [again(r, "report", **places[n][2]) if n in places else r for n, r in enumerate(good)]
    receipts = road.submit(*records)
    assert Counter(r["outcome"] for r in receipts) == {"ACCEPTED": 993, "REFUSED": 7}
    for n, (code, field, _) in places.items():
        assert [(f["code"], f["field"]) for f in receipts[n]["faults"]] == [(code, field)]
        assert receipts[n]["faults"][0]["clause"].startswith(f"org-penalty/2 {field}; ")
    mended = road.submit(*(again(good[n], "report") for n in places))
    assert [r["outcome"] for r in mended] == ["ACCEPTED"] * 7
    assert [r["record_no"] for r in mended] == [receipts[n]["record_no"] for n in places]
    once_more = road.submit(*(again(r, "report") for r in good))
    assert {r["outcome"] for r in once_more} == {"DUPLICATE"}
    versions = "SELECT count(*) FROM records WHERE record_no = ANY($1) AND version = 1"
    wanted = [r["record_no"] for r in good]
    assert eventually(lambda: road.stack.sql("ingestion", versions, wanted)[0]["count"], "stored") == TOTAL
