"""Files of either kind and encoding are read row by row; the journal keeps the place, the copy holds every answer."""

from __future__ import annotations

import csv
import gzip
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from deploy.local.faults import StackFault
from services.cli.intake import answers, spool
from services.cli.intake.faults import cell_fault
from services.cli.intake.journal import Journal, run_of
from services.cli.intake.spool import Spool
from services.cli.intake.tables import look_through

TEXT = "企业名称,地区\n演示甲,武汉\n,\n\n演示乙,宜昌\n"
ROWS = [(2, ["演示甲", "武汉"]), (5, ["演示乙", "宜昌"])]


def written(folder: Path, data: bytes, name: str = "rows.csv") -> Path:
    file = folder / name
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_in_either_encoding_with_its_row_numbers(tmp_path: Path, encoding: str) -> None:
    table = look_through(written(tmp_path, TEXT.encode(encoding)))
    assert (table.header, table.rows) == (("企业名称", "地区"), 4)
    assert list(table.lines()) == ROWS


def test_a_compressed_file(tmp_path: Path) -> None:
    table = look_through(written(tmp_path, gzip.compress(TEXT.encode()), "rows.csv.gz"))
    assert list(table.lines()) == ROWS


def test_a_character_of_four_bytes_in_gb18030(tmp_path: Path) -> None:
    table = look_through(written(tmp_path, "名\n演示㐂𠮷\n".encode("gb18030")))
    assert list(table.lines()) == [(2, ["演示㐂𠮷"])]


def sheet(file: Path, *rows: list[Any]) -> Path:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(file)
    return file


def test_a_spreadsheet_with_days_and_numbers(tmp_path: Path) -> None:
    file = sheet(
        tmp_path / "rows.xlsx",
        ["名称", "日期", "时间", "年份"],
        ["演示甲", date(2017, 9, 28), datetime(2017, 9, 28, 9, 30), 2017.0],
        [None, None, None, None],
        ["演示乙", "2017年9月28日", None, 1.5],
    )
    assert list(look_through(file).lines()) == [
        (2, ["演示甲", "2017-09-28", "2017-09-28 09:30:00", "2017"]),
        (4, ["演示乙", "2017年9月28日", "", "1.5"]),
    ]


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("rows.csv", b"", "no header line"),
        ("rows.csv", b"\n\n", "no header line"),
        ("rows.csv", b"\xff\xff\xff", "neither UTF-8 nor GB18030"),
        ("rows.csv", b'a,b\n1,"' + b"x" * 1_000_001, "quotation mark"),
        ("rows.csv.gz", b"no gzip", "cannot be unpacked"),
        ("rows.csv.gz", gzip.compress(b"a,b\n" * 1000)[:-10], "cannot be unpacked"),
        ("rows.xlsx", b"no zip", "no readable spreadsheet"),
        ("rows.pdf", b"%PDF", "save it as one of them"),
        ("rows.csv", b"a," * 2000, "is it a table"),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_sent(
    tmp_path: Path, name: str, data: bytes, match: str
) -> None:
    with pytest.raises(StackFault, match=match):
        look_through(written(tmp_path, data, name))


def test_a_file_that_is_not_there_is_one_line() -> None:
    with pytest.raises(StackFault, match="does not exist"):
        look_through(Path("no-such-file.csv"))


# --- the journal ---


def test_a_journal_is_taken_up_by_the_same_run_only(tmp_path: Path) -> None:
    file = written(tmp_path, b"a\n1\n")
    with Journal(file, "run-a") as first:
        first.begin(5, {("credit.receipts.x.v1", 0): 7})
        first.acknowledge(12_345)
        first.acknowledge(7)  # shorter: what a longer line left behind does not count
    with Journal(file, "run-a") as again:
        assert (again.rows, again.at_ms, again.since, again.done) == (7, 5, {("credit.receipts.x.v1", 0): 7}, False)
    with pytest.raises(StackFault, match="unfinished import of other content"), Journal(file, "run-b"):
        pass
    with Journal(file, "run-a") as last:
        last.finish()
    with Journal(file, "run-b") as other:
        assert (other.rows, other.at_ms) == (0, 0)


def test_two_imports_of_one_file_at_once_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, b"a\n1\n")
    with Journal(file, "run-a"), pytest.raises(StackFault, match="another import"), Journal(file, "run-a"):
        pass


@pytest.mark.parametrize("junk", [b"junk", b"[]", b'{"run": 3}', b"\xff\xff", b'{"run":"run-a","rows":"x"}'])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, junk: bytes) -> None:
    file = written(tmp_path, b"a\n1\n")
    written(tmp_path, junk, "rows.csv.import")
    with pytest.raises(StackFault, match="no journal"), Journal(file, "run-a"):
        pass
    assert (tmp_path / "rows.csv.import").read_bytes() == junk


def test_a_run_is_named_by_what_is_sent() -> None:
    run = run_of("digest", "420000-gsj", "org-penalty", {"a": "1", "b": "2"})
    assert run == run_of("digest", "420000-gsj", "org-penalty", {"b": "2", "a": "1"})
    assert len({run, run_of("other", "420000-gsj", "org-penalty", {}), run_of("digest", "420000-hbt", "x", {})}) == 3


# --- answers ---


def receipt(outcome: str, *faults: dict[str, str]) -> dict[str, Any]:
    return {"outcome": outcome, "faults": list(faults)}


FAULT = {"code": "FIELD_LENGTH", "field": "CF_WSH", "rule": "r", "clause": "c"} | {
    "message_zh": "过长", "message_en": "too long", "example": "x",
}  # fmt: skip


def test_the_first_final_answer_counts(tmp_path: Path) -> None:
    kept = Spool()
    kept.sent(2)
    assert not kept.answered(2, receipt("WAITING"))
    assert kept.answered(2, receipt("ACCEPTED"))
    assert not kept.answered(2, receipt("DUPLICATE"))
    assert not kept.answered(9, receipt("ACCEPTED"))  # a row that this call has not sent
    assert kept.answer(2).outcome == "ACCEPTED"
    kept.close()


def test_a_decision_under_two_numbers_is_found_and_a_correction_is_none() -> None:
    kept = Spool()
    assert kept.known_under("局\0〔2017〕1号", "r-1", 2) is None
    assert kept.known_under("局\0〔2017〕1号", "r-1", 3) is None
    assert kept.known_under("局\0〔2017〕1号", "r-2", 4) == 2
    kept.close()


def copied(folder: Path, file: Path) -> Path:
    kept = Spool()
    kept.sent(2)
    kept.answered(2, receipt("REFUSED", FAULT, FAULT | {"code": "FIELD_MISSING"}))
    kept.not_sent(5, [cell_fault("CELL_DATE", "注册日期")])
    return answers.write(look_through(file), kept)


def test_the_copy_of_a_text_has_every_answer_beside_its_row(tmp_path: Path) -> None:
    path = copied(tmp_path, written(tmp_path, TEXT.encode("gb18030")))
    assert path.name == "rows.answers.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, first, second = csv.reader(stream)
    assert header == ["企业名称", "地区", *answers.COLUMNS]
    assert first[:4] == ["演示甲", "武汉", "REFUSED", "FIELD_LENGTH\nFIELD_MISSING"]
    assert second[2:] == [spool.NOT_SENT, "CELL_DATE", "注册日期", "不是日期", "a date such as 2017-03-29 is needed", "2017-03-29"]  # fmt: skip # noqa: E501


def test_the_copy_of_a_spreadsheet_is_one_and_holds_no_formula(tmp_path: Path) -> None:
    file = sheet(tmp_path / "rows.xlsx", ["企业名称", "地区"], ["演示甲", "武汉"], [], [], ["演示乙", "宜昌"])
    book = load_workbook(file)
    first = book.worksheets[0]["A2"]
    first.value, first.data_type = "=1+1", "s"
    book.save(file)
    path = copied(tmp_path, file)
    assert path.name == "rows.answers.xlsx"
    cells = list(load_workbook(path).worksheets[0].iter_rows())
    assert [cell.value for cell in cells[1]][:3] == ["=1+1", "武汉", "REFUSED"]
    assert {cell.data_type for row in cells for cell in row if cell.value} == {"s"}
