"""Files of records: CSV (also .gz) and XLSX, UTF-8 or GB18030, one header line."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

from deploy.local.faults import StackFault


def rows(file: Path) -> Iterator[dict[str, str]]:
    """One dict per row; raises `StackFault` for what cannot be read."""
    if not file.is_file():
        raise StackFault(f"{file} does not exist: give the path of a .csv, .csv.gz or .xlsx file")
    if file.suffix == ".xlsx":
        yield from _sheet(file)
        return
    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    yield from csv.DictReader(io.StringIO(_text(file, data), newline=""), restval="")


def _text(file: Path, data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise StackFault(f"{file} is neither UTF-8 nor GB18030: save it as one of them")


def _sheet(file: Path) -> Iterator[dict[str, str]]:
    from openpyxl import load_workbook

    sheet = load_workbook(file, read_only=True, data_only=True).worksheets[0]
    lines = sheet.iter_rows(values_only=True)
    header = [str(cell or "") for cell in next(lines, ())]
    for line in lines:
        cells = ["" if cell is None else str(cell) for cell in line]
        if any(cells):
            yield dict(zip(header, cells, strict=False))
