"""A decision that comes by two files and by topic: one record where no number is given, else `feeds twice` tells."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.road import RUN, Road, numbers, organisation, submission
from tests.unit.cli.intake_items import OFFICE, PENALTY_2018

pytestmark = pytest.mark.stack

AGENCY, ITEM = "420000-hbt", "org-penalty"
OTHER_CODES = dict.fromkeys(("CF_XDR_GSZC", "CF_XDR_ZZJG"), "")


def outcomes(road: Road, file: Path, row: dict[str, str]) -> list[tuple[str, str]]:
    """Outcome and fault code of each row of a file with this one, as its answers say."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, row)
        writer.writeheader()
        writer.writerow(row)
    road.stack.credit("import", str(file), "--agency", AGENCY, "--item", ITEM, check=False)
    with file.with_suffix(".answers.csv").open(encoding="utf-8-sig", newline="") as opened:
        return [(answer["outcome"], answer["code"]) for answer in csv.DictReader(opened)]


def twice(road: Road) -> dict[str, Any]:
    lines = road.stack.credit("feeds", "twice", "--agency", AGENCY, "--json").stdout.splitlines()
    (found,) = [told for told in map(json.loads, lines) if told["item"] == ITEM]
    return found


def test_a_decision_by_two_files_is_one_record_and_by_topic_it_is_told(road: Road, tmp_path: Path) -> None:
    org, number = organisation(), f"演罚〔2018〕{RUN}{next(numbers)}号"
    row = PENALTY_2018 | OTHER_CODES | {"CF_XDR_MC": org.name, "CF_XDR_SHXYM": org.uscc, "CF_WSH": number}
    assert outcomes(road, tmp_path / "one.csv", row) == [("ACCEPTED", "")]
    assert outcomes(road, tmp_path / "two.csv", row) == [("DUPLICATE", "")]
    other = row | {"CF_NR": "罚款三千元", "CF_WSH": number.replace("〔", "[").replace("〕", "] ")}
    assert outcomes(road, tmp_path / "three.csv", other) == [("REFUSED", "RECORD_NO_REUSED")]
    before = twice(road)
    by_topic = submission(ITEM, org, {"CF_WSH": number, "CF_CFJGDM": OFFICE}) | {"subject_code": org.uscc}
    road.accepted(by_topic)
    after = twice(road)
    assert (after["records"], after["twice"]) == (before["records"] + 1, before["twice"] + 2)
    (told,) = [group for group in after["decisions"] if group not in before["decisions"]]
    assert {one["agency"] for one in told} == {AGENCY}
    assert by_topic["record_no"] in {one["record_no"] for one in told}
    assert len(told) == 2
