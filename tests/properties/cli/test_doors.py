"""Laws of the doors: whatever comes in, a door ends or says in one line why not, and every row has its answer."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from services.cli.intake import cells, codes
from services.cli.intake.answers import COLUMNS
from services.cli.intake.faults import CellProblem
from services.ingestion.domain.vintages import check
from services.kernel import money, organisation_code, registration_number
from tests.fuzz import doors
from tests.unit.cli.intake_items import REGISTRATION, VINTAGES

JUNK = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "N/A", "长期", "2017-09-28", "2017-13-45", "91420100MA4KLM0N5H", "MA4KLM0N5", "420100000000014", "=1+1",
         "0.2", "00000000000000000X", "2,000元", "9" * 40, "１２３", "自然人", "420106190003070015", "警告；罚款",
         "\ufeff"]
    ),
)  # fmt: skip
ROWS = [(code, row) for (code, _), row in VINTAGES.items()] + [("enterprise-registration", REGISTRATION)]


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """A table of an item, mostly right, with cells, columns and a header that may be anything."""
    code, row = draw(st.sampled_from(ROWS))
    header = list(row)
    if draw(st.integers(0, 3)) == 0:
        header[draw(st.integers(0, len(header) - 1))] = draw(JUNK)
    lines = [header]
    for _ in range(draw(st.integers(0, 3))):
        line = [draw(JUNK) if draw(st.integers(0, 4)) == 0 else text for text in row.values()]
        lines.append(line[: draw(st.integers(0, len(line)))] if draw(st.integers(0, 9)) == 0 else line)
        if draw(st.integers(0, 9)) == 0:
            lines[-1].append(draw(JUNK))
    return code, lines


def as_csv(lines: list[list[str]], encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode(encoding, errors="replace")


def passed(data: bytes, kind: str, code: str) -> list[list[str]]:
    """The copy with the answers; empty when the file was refused as a whole."""
    with tempfile.TemporaryDirectory() as folder:
        doors.file_door(Path(folder), data, kind, code)
        copy = Path(folder) / "rows.answers.csv"
        if not copy.exists():
            return []
        with copy.open(encoding="utf-8-sig", newline="") as stream:
            return list(csv.reader(stream))


@given(st.binary(max_size=300), st.sampled_from(doors.KINDS), st.sampled_from(sorted(doors.ITEMS)))
def test_any_bytes_as_a_file(data: bytes, kind: str, code: str) -> None:
    passed(data, kind, code)


@given(tables(), st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]), st.booleans())
def test_every_row_of_a_table_is_answered_in_the_copy(table: Any, encoding: str, packed: bool) -> None:
    code, lines = table
    data = as_csv(lines, encoding)
    copy = passed(gzip.compress(data) if packed else data, ".csv.gz" if packed else ".csv", code)
    if copy:
        assert copy[0][-len(COLUMNS) :] == list(COLUMNS)
        assert all(line[len(copy[0]) - len(COLUMNS)] in ("NOT_SENT", "UNANSWERED") for line in copy[1:])
        assert all(line[-5] for line in copy[1:] if line[-6] == "NOT_SENT")


@given(tables(), st.data())
@settings(max_examples=40)
def test_any_spreadsheet(table: Any, data: st.DataObject) -> None:
    code, lines = table
    values = st.one_of(st.none(), st.floats(), st.integers(), st.booleans(), st.datetimes(), st.dates(), st.times())
    book = Workbook()
    for line in lines:
        cells_of = [data.draw(values) if data.draw(st.integers(0, 9)) == 0 else clean(text) for text in line]
        book.worksheets[0].append(cells_of)
    out = io.BytesIO()
    book.save(out)
    with tempfile.TemporaryDirectory() as folder:
        doors.file_door(Path(folder), out.getvalue(), ".xlsx", code)


def clean(text: str) -> str:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    return ILLEGAL_CHARACTERS_RE.sub("", text).encode(errors="ignore").decode()


@given(st.binary(max_size=200))
def test_any_bytes_as_a_request(data: bytes) -> None:
    doors.grpc_door(data)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["1e9", "罚款"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


FIELDS = [field["code"] for field in doors.ITEMS["org-penalty"].definition["fields"]]


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), VALUES))
def test_any_json_as_a_payload(payload: dict[str, Any]) -> None:
    request = doors.pb.SubmitRequest(
        submission_id="s", item="org-penalty", record_no="r", decided_on="2017-09-28", payload_json=json.dumps(payload)
    )
    doors.grpc_door(request.SerializeToString())


@given(VALUES)
def test_any_table_of_vintages_is_judged(junk: Any) -> None:
    assert check({"vintages": junk, "business_key": []}, {"CF_WSH"})
    shape = {"name": junk, "marks": junk, "columns": [junk, {"to": junk, "from": junk, "unit": junk, "values": junk}]}
    assert check({"vintages": {"kinds": junk, "codes": junk, "long_term": junk, "shapes": [shape]}}, {"CF_WSH"})


# --- amounts and codes ---


@given(st.integers(0, 10**15), st.sampled_from(["wan", "yuan", "fen"]))
def test_an_amount_written_in_any_unit_is_the_same_amount(amount: int, unit: str) -> None:
    text = {"wan": money.wan_of_fen(amount), "yuan": f"{amount // 100}.{amount % 100:02}", "fen": str(amount)}[unit]
    if len(text.partition(".")[0]) <= 12:
        assert cells.fen(text, unit) == amount
        assert cells.fen(f"{text}{cells.UNIT_NAMES[unit]}", unit) == amount


@given(st.integers(0, 10**8 - 1), st.integers(0, 10**14 - 1))
def test_two_codes_in_each_others_columns_are_always_found(first: int, second: int) -> None:
    body, number = f"{first:08}", f"{second:014}"
    org_code = body + organisation_code.check_character(body)
    reg_no = number + registration_number.check_digit(number)
    if not (organisation_code.is_valid(org_code) and registration_number.is_valid(reg_no)):
        return  # nobody's
    assert codes.confirmed("org_code", org_code, "", "") == org_code
    assert codes.confirmed("reg_no", reg_no, "", "") == reg_no
    for kind, code in (("org_code", reg_no), ("reg_no", org_code)):
        with pytest.raises(CellProblem) as caught:
            codes.confirmed(kind, code, "", "")
        assert caught.value.code == "CODES_SWAPPED"
