"""Rows of a file become submissions; what cannot become one is told by column, never by value."""

from __future__ import annotations

import gzip
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.faults import StackFault
from deploy.local.layout import REPO
from services.cli import files, template
from services.cli.catalogue import Item
from services.cli.rows import RowFault, Sender, submission

SENDER = Sender("420000-gsj", "run", 1_500_000_000_000)
ROW = {
    "企业名称": "演示甲公司",
    "统一社会信用代码": "91420100MA4KLM0N5H",
    "注册日期": "2004-09-23",
    "企业类型": "N/A",
    "注册资金": "50(万元)",
    "经营范围": "演示",
    "所在省份": "湖北",
    "地区": "武汉",
    "注册地址": "演示路1号",
}


def item(code: str) -> Item:
    file = REPO / "services" / "ingestion" / "catalogue" / f"{code}.toml"
    return Item(code, 1, tomllib.loads(file.read_text(encoding="utf-8")))


def made(**changed: str) -> dict[str, Any]:
    return submission(item("enterprise-registration"), SENDER, 2, {**ROW, **changed})


def test_a_row_of_the_public_register() -> None:
    record = made()
    assert record["submission_id"] == "run-2"
    assert record["decided_on"] == date(2004, 9, 23)
    assert (record["subject_code"], record["subject_name"]) == (ROW["统一社会信用代码"], ROW["企业名称"])
    assert record["payload"]["enterprise_type"] is None
    assert record["payload"]["registered_capital"] == "50(万元)"


@pytest.mark.parametrize(
    ("code", "kind", "code_kind"),
    [
        ("91420100MA4KLM0N5H", "org", "uscc"),
        ("92420100MA4KLM0N5H", "sole_trader", "uscc"),
        ("420000000000000", "org", "reg_no"),
        ("MA4KLM0N5", "org", "org_code"),
    ],
)
def test_who_the_code_names(code: str, kind: str, code_kind: str) -> None:
    record = made(统一社会信用代码=code)
    assert (record["subject_kind"], record["subject_code_kind"]) == (kind, code_kind)


def test_the_same_row_has_the_same_number_and_another_row_another() -> None:
    assert made()["record_no"] == made()["record_no"]
    assert made()["record_no"] != made(地区="黄石")["record_no"]
    assert made(record_no="mine")["record_no"] == "mine"


def test_a_missing_mandatory_text_is_left_for_ingestion_to_explain() -> None:
    row = {"行政相对人名称": "演示甲公司", "统一社会信用代码": "91420100MA4KLM0N5H", "处罚决定日期": "2017/03/29"}
    filled = {**row, "处罚有效期": "2018-03-29"}
    record = submission(item("org-penalty"), SENDER, 2, filled)
    assert record["payload"]["CF_SY"] == ""
    assert record["payload"]["CF_JDRQ"] == date(2017, 3, 29)


def test_a_date_that_is_none_is_told_by_column_and_not_by_value() -> None:
    with pytest.raises(RowFault) as caught:
        made(注册日期="2004年9月")
    assert "注册日期" in str(caught.value)
    assert "2004年" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_in_either_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("企业名称,地区\n演示甲,武汉\n", encoding=encoding)
    assert list(files.rows(file)) == [{"企业名称": "演示甲", "地区": "武汉"}]


def test_a_compressed_file(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    file.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert list(files.rows(file)) == [{"a": "1", "b": "2"}]


def test_a_file_that_is_not_there_is_one_line() -> None:
    with pytest.raises(StackFault, match="does not exist"):
        list(files.rows(Path("no-such-file.csv")))


@pytest.mark.parametrize("code", ["enterprise-registration", "org-penalty", "court-defaulter"])
def test_a_filled_template_is_read_back(tmp_path: Path, code: str) -> None:
    """Every column that the template has is one that `credit submit` takes."""
    from openpyxl import load_workbook

    definition, file = item(code).definition, tmp_path / "t.xlsx"
    template._write(definition, file)
    book = load_workbook(file)
    names = [column["name"] for column in template.columns(definition)]
    book.worksheets[0].append(["1" if name == "record_no" else "2017-03-29" for name in names])
    book.save(file)
    (row,) = files.rows(file)
    record = submission(item(code), SENDER, 2, row)
    assert record["record_no"] == "1"
    mandatory = [f["code"] for f in definition["fields"] if f["required"] == "mandatory"]
    assert all(record["payload"][name] for name in mandatory)
