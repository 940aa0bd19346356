"""An agency's day at the shell: from a template to the trace of a record; and what it is told when it errs."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from services.kernel import uscc
from tests.support.road import Road
from tests.support.stack import eventually

AGENCY, ITEM = "420000-gsj", "enterprise-registration"


def invented_code() -> str:
    """A valid code that nobody has."""
    return uscc.complete("91420100" + f"{secrets.randbelow(10**9):09}")


def told(road: Road, *words: str) -> Any:
    return json.loads(road.stack.credit(*words, "--json").stdout)


def test_from_a_template_to_a_trace(road: Road, tmp_path: Path) -> None:
    file, code = tmp_path / "records.xlsx", invented_code()
    road.stack.credit("template", ITEM, "--output", str(file))
    book = load_workbook(file)
    sheet = book.worksheets[0]
    cells = {
        "企业名称": "演示命令行有限公司",
        "统一社会信用代码": code,
        "注册日期": "2005-06-07",
        "注册资金": "50(万元)",
    }
    sheet.append([cells.get(str(column.value), "") for column in sheet[1]])
    book.save(file)
    sent = told(road, "import", "--agency", AGENCY, "--item", ITEM, str(file))
    assert (sent["rows"], sent["outcomes"]) == (1, {"ACCEPTED": 1})
    done = road.stack.credit("receipts", "--agency", AGENCY, "--run", sent["run"], "--json")
    (receipt,) = map(json.loads, done.stdout.splitlines())
    assert receipt["outcome"] == "ACCEPTED"
    answer = load_workbook(tmp_path / "records.answers.xlsx").worksheets[0]
    assert "ACCEPTED" in [cell.value for cell in answer[2]]
    shown = eventually(lambda: road.stack.credit("subject", code, "--json", check=False).stdout, "disclosed")
    assert json.loads(shown)["subject_name"] == "演示命令行有限公司"
    hops = told(road, "trace", receipt["submission_id"])
    assert {hop["topic"] for hop in hops} >= {
        f"credit.submit.{AGENCY}.v1",
        f"credit.receipts.{AGENCY}.v1",
        "credit.ingestion.record.v1",
        "credit.identity.record.v1",
        "credit.disclosure.public-change.v1",
    }
    assert hops[0]["after_ms"] == 0


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("import", "--agency", AGENCY, "--item", "no-such-item", "x.csv"), "choose from"),
        (("import", "--agency", "420000-nobody", "--item", ITEM, __file__), "credit agency add"),
        (("import", "--agency", AGENCY, "--item", ITEM, "no-such-file.csv"), "give the path"),
        (("agency", "add", "nonsense", "--name", "演示"), "six digits"),
        (("agency", "add", "420000-gsj", "--name", "演示", "--item", "no-such-item"), "choose from"),
        (("template", "no-such-item"), "choose from"),
        (("trace", "no-such-submission"), "credit receipts"),
        (("parked", "list", "nobody"), "choose from"),
        (("parked", "release", "identity", "nonsense"), "credit parked list identity"),
        (("parked", "release", "identity", "credit.ingestion.record.v1/0/1"), "credit parked list identity"),
        (("subject", "123", "--channel", "nowhere"), "public or government"),
        (("subject", "91420100MA4KLM0N5H"), "SUBJECT_UNKNOWN"),
    ],
    ids=lambda it: " ".join(it[:2]) if isinstance(it, tuple) else "",
)
def test_an_error_is_one_line_with_the_remedy(road: Road, words: tuple[str, ...], remedy: str) -> None:
    done = road.stack.credit(*words, check=False)
    assert done.returncode == 1
    assert remedy in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_what_is_parked_is_listed_and_released(road: Road) -> None:
    """A command that identity cannot read waits with its key; released unread, it is parked again."""
    key = secrets.token_bytes(16)
    road.stack.send("credit.identity.command.v1", [(key, b"no command")])

    def places() -> set[str]:
        rows = map(json.loads, road.stack.credit("parked", "list", "identity", "--json").stdout.splitlines())
        return {f"{row['topic']}/{row['partition']}/{row['offset']}" for row in rows if row["code"] == "WIRE_FORMAT"}

    (place,) = eventually(places, "parked")
    done = told(road, "parked", "release", "identity", place)
    assert (done["order"], done["messages"], done["keys"]) == ("release", 1, 1)
    statement = "SELECT FROM parked WHERE key = $1 AND released_at IS NULL"
    assert len(eventually(lambda: road.stack.sql("identity", statement, key), "parked anew")) == 1
    # The tests that follow begin with nothing parked, and with a store that follows from its journals.
    told(road, "parked", "discard", "identity", place, "--reason", "演示：不是命令")
    eventually(lambda: not places(), "nothing is parked any more")
