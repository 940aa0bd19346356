"""A kind of record more, while everything runs: data, a command, and the first record of it is accepted."""

from __future__ import annotations

import json
import secrets
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.road import Road, organisation
from tests.support.stack import eventually

AGENCY, NUMBER = "420000-nyt", "演示发〔2017〕1号"
FILE = """
include = ["notice-2017", "act"]
code = "{code}"
name_zh = "取水许可监督检查信息"
name_en = "Supervision of water abstraction"
version = {version}
class = "other"
disclosure = "public"
retention = "P5Y"
display = {{ period = "P1Y", clock = "rq" }}
responsible = {{ province = ["420000-nyt"] }}
{basis}
fields = [
    {{ block = "subject" }},
    {{ code = "nr", name_zh = "检查内容", name_en = "Content", type = "string", max_length = 400, required = "mandatory", sensitivity = "none" }},
    {{ code = "rq", name_zh = "检查日期", name_en = "Day of the inspection", type = "date", required = "mandatory", same_as = "decided_on", sensitivity = "none" }},
    {more}
]
"""  # noqa: E501 - an item file
BASIS = (
    'legal_basis = [{ document = "取水许可管理办法（水利部令第34号）", article = "全文", verification = "unverified" }]'
)


def item_file(folder: Path, code: str, version: int = 1, basis: str = BASIS, more: str = "") -> Path:
    file = folder / f"{code}-{version}.toml"
    file.write_text(FILE.format(code=code, version=version, basis=basis, more=more), encoding="utf-8")
    return file


@pytest.fixture
def code() -> str:
    return f"water-{secrets.token_hex(4)}"


def told(road: Road, *words: str) -> Any:
    return json.loads(road.stack.credit(*words, "--json").stdout)


def refused(road: Road, *words: str) -> str:
    done = road.stack.credit(*words, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    return line


def answered(road: Road, code: str, folder: Path, action: str = "report", record_no: str = "r-1") -> Any:
    """The final receipt of one record, sent as a file."""
    org = organisation()
    file = folder / f"{action}-{secrets.token_hex(3)}.csv"
    head, row = "record_no,action,法定名称或姓名,统一社会信用代码,决定日期,检查内容,检查日期", ["2017-09-28"]
    row = [record_no, action, org.name, org.uscc, *row, "演示检查", *row]
    file.write_text(f"{head}\n{','.join(row)}\n", encoding="utf-8")
    run = told(road, "import", str(file), "--agency", AGENCY, "--item", code, "--no-wait")["run"]

    def receipts() -> list[Any]:
        done = road.stack.credit("receipts", "--agency", AGENCY, "--run", run, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    (receipt,) = eventually(receipts, "a receipt")
    return receipt


def test_an_item_is_added_to_a_running_stack_and_takes_its_first_record(road: Road, code: str, tmp_path: Path) -> None:
    file = item_file(tmp_path, code)
    assert "DOCUMENT_NUMBER_MISSING" in refused(road, "catalogue", "add", str(file))
    added = told(road, "catalogue", "add", str(file), "--document-number", NUMBER)
    assert (added["item"], added["version"]) == (code, 1)
    shown = eventually(lambda: told(road, "catalogue", "show", code), "told")
    assert (shown["state"], shown["document_number"], shown["published_by"]) == ("open", NUMBER, "operator")
    road.stack.credit("agency", "add", AGENCY, "--name", "演示省水利厅", "--item", code)
    assert answered(road, code, tmp_path)["outcome"] == "ACCEPTED"
    retired = told(road, "catalogue", "retire", code, "--reason", "并入他项", "--document-number", NUMBER)
    assert retired["item"] == code
    late = answered(road, code, tmp_path, record_no="r-2")
    assert (late["outcome"], [fault["code"] for fault in late["faults"]]) == ("REFUSED", ["ITEM_RETIRED"])
    assert answered(road, code, tmp_path, "withdraw")["outcome"] == "ACCEPTED"


def test_an_item_without_a_legal_basis_or_with_a_forbidden_attribute_is_refused(
    road: Road, code: str, tmp_path: Path
) -> None:
    more = (
        '{ code = "x", name_zh = "某", name_en = "some", type = "string", max_length = 9, required = "optional",'
        ' code_list = ["男", "女"], sensitivity = "none" },'
    )
    assert "LEGAL_BASIS_MISSING" in refused(
        road, "catalogue", "add", str(item_file(tmp_path, code, basis="legal_basis = []")), "--document-number", NUMBER
    )
    said = refused(road, "catalogue", "add", str(item_file(tmp_path, code, more=more)), "--document-number", NUMBER)
    assert "ATTRIBUTE_FORBIDDEN x" in said
    assert "choose from" in refused(road, "catalogue", "show", code)


def test_an_edition_that_breaks_a_reader_is_refused_by_its_name(road: Road, code: str, tmp_path: Path) -> None:
    extra = (
        '{ code = "jl", name_zh = "结论", name_en = "Finding", type = "string", max_length = 9,'
        ' required = "optional", sensitivity = "none" },'
    )
    told(road, "catalogue", "add", str(item_file(tmp_path, code, more=extra)), "--document-number", NUMBER)
    told(road, "catalogue", "reader", code, "tax-bureau-consumer", "--field", "jl")
    next_file = str(item_file(tmp_path, code, version=2))
    said = refused(road, "catalogue", "add", next_file, "--document-number", NUMBER)
    assert "READER_BROKEN jl" in said
    assert "tax-bureau-consumer (reads `jl`, which is gone)" in said
    told(road, "catalogue", "reader", code, "tax-bureau-consumer")
    assert told(road, "catalogue", "add", next_file, "--document-number", NUMBER)["version"] == 2


def test_drafts_are_merged_and_confirmed_before_they_are_published(road: Road, code: str, tmp_path: Path) -> None:
    basis = BASIS + f'\nseals = ["{AGENCY}"]'
    file = str(item_file(tmp_path, code, basis=basis))
    told(road, "catalogue", "draft", file, "--unit", "420100-swj")
    told(road, "catalogue", "merge", file, "--replaces", "420100-swj")
    assert f"SEAL_MISSING definition: not confirmed yet by {AGENCY}" in refused(
        road, "catalogue", "add", file, "--document-number", NUMBER
    )
    confirmed = told(road, "catalogue", "confirm", code, "--unit", AGENCY, "--document", "函〔2017〕1号")
    assert confirmed["missing"] == []
    told(road, "catalogue", "add", file, "--document-number", NUMBER)
    assert told(road, "catalogue", "show", code)["confirmed_by"] == [AGENCY]


def test_the_whole_catalogue_is_listed_and_written_as_a_page(road: Road, tmp_path: Path) -> None:
    listed = told(road, "catalogue", "list")
    assert len(listed) >= 45
    assert {row["state"] for row in listed if row["category"] == "profession"} == {"closed"}
    page = tmp_path / "catalogue.html"
    assert told(road, "catalogue", "page", "-o", str(page))["items"] == len(told(road, "catalogue", "list"))
    text = page.read_text(encoding="utf-8")
    HTMLParser().feed(text)
    assert all(f'id="{row["code"]}"' in text for row in listed)
