"""The copy of a file with the answer beside each row: the agency's own table, and what became of every line of it."""

from __future__ import annotations

import csv
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.cli.intake.spool import Answer, Spool
from services.cli.intake.tables import Table

COLUMNS = ("outcome", "code", "field", "message_zh", "message_en", "example")
BETWEEN = "\n"  # several faults of one row stand below each other in each column
MOST_IN_A_CELL = 32_767  # of a spreadsheet


def path_of(file: Path) -> Path:
    """`penalties.csv` -> `penalties.answers.csv`; a spreadsheet gets a spreadsheet."""
    name = file.name
    kind = ".xlsx" if name.lower().endswith(".xlsx") else ".csv"
    stem = name[: -len(".csv.gz")] if name.lower().endswith(".csv.gz") else file.stem
    return file.with_name(f"{stem}.answers{kind}")


def write(table: Table, spool: Spool) -> Path:
    """Beside the file, replacing an older copy once it is whole."""
    path = path_of(table.file)
    half = path.with_name(path.name + ".half")
    lines = _lines(table, spool)
    if path.suffix == ".xlsx":
        _sheet(half, lines)
    else:
        with half.open("w", encoding="utf-8-sig", newline="") as stream:  # with a mark, as spreadsheet programs want
            csv.writer(stream).writerows(lines)
    half.chmod(stat.S_IMODE(table.file.stat().st_mode))  # it says no less than the file does
    half.replace(path)
    return path


def _lines(table: Table, spool: Spool) -> Iterator[list[str]]:
    width = len(table.header)
    yield [*table.header, *COLUMNS]
    for number, cells in table.lines():
        yield [*cells[:width], *columns(spool.answer(number))]


def columns(answer: Answer) -> list[str]:
    """The six cells of one row."""
    told = [BETWEEN.join(getattr(fault, name) for fault in answer.faults) for name in COLUMNS[1:]]
    return [answer.outcome, *told]


def _sheet(path: Path, lines: Iterator[list[str]]) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("answers")
    for line in lines:
        cells: list[Any] = []
        for text in line:
            cell: Any = WriteOnlyCell(sheet, None)
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)[:MOST_IN_A_CELL]
            cell.data_type = "s"  # never a formula, whatever a text begins with
            cells.append(cell)
        sheet.append(cells)
    book.save(path)
