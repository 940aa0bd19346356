"""Files of records, read row by row: CSV (also .gz) and XLSX, UTF-8 or GB18030, one header line.

A file is looked through once before anything is done with it, so that what cannot be read is said before anything is
sent. Neither pass holds more than a row (a spreadsheet's shared texts excepted, which its format puts in one place).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import IO, NamedTuple, cast

from deploy.local.faults import StackFault

KINDS = (".csv", ".csv.gz", ".xlsx")
ENCODINGS = ("utf-8", "gb18030")
CHUNK = 1 << 20
MOST_CHARACTERS = 1_000_000  # of one cell: a message may be no larger
MOST_COLUMNS = 1_000
NO_ROWS = "has no header line: the first line names the columns (credit template writes one)"


class Table(NamedTuple):
    """A file looked through: `rows` counts the lines below the header, empty ones too; `digest` is of its bytes."""

    file: Path
    encoding: str
    header: tuple[str, ...]
    rows: int
    digest: str

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Row number (the header is 1) and cells of every row that is not empty; raises `StackFault`."""
        for number, cells in enumerate(_rows(self.file, self.encoding), 1):
            if number > 1 and any(cell.strip() for cell in cells):
                yield number, cells + [""] * (len(self.header) - len(cells))


def look_through(file: Path) -> Table:
    """Raises `StackFault` for what cannot be read, naming the row where that is known."""
    if not file.is_file():
        raise StackFault(f"{file} does not exist: give the path of a .csv, .csv.gz or .xlsx file")
    if not file.name.lower().endswith(KINDS):
        raise StackFault(f"{file} is no {', '.join(KINDS)} file: save it as one of them")
    encoding = "" if _is_sheet(file) else _encoding(file)
    header: tuple[str, ...] = ()
    count = 0
    for count, cells in enumerate(_rows(file, encoding), 1):
        if count == 1:
            header = _header(file, cells)
    if not header:
        raise StackFault(f"{file} {NO_ROWS}")
    return Table(file, encoding, header, count - 1, _digest(file))


def _header(file: Path, cells: list[str]) -> tuple[str, ...]:
    named = [cell.strip("\ufeff \t\r\n\u3000") for cell in cells]
    while named and not named[-1]:
        named.pop()
    if not named:
        raise StackFault(f"{file} {NO_ROWS}")
    if len(named) > MOST_COLUMNS:
        raise StackFault(f"{file} has {len(named)} columns, more than {MOST_COLUMNS}: is it a table of records?")
    return tuple(named)


def _is_sheet(file: Path) -> bool:
    return file.name.lower().endswith(".xlsx")


def _digest(file: Path) -> str:
    whole = blake2b(digest_size=16)
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            whole.update(chunk)
    return whole.hexdigest()


def _rows(file: Path, encoding: str) -> Iterator[list[str]]:
    return _sheet(file) if _is_sheet(file) else _lines(file, encoding)


# --- CSV -------------------------------------------------------------------------------------------------------------


def _opened(file: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(file, "rb")) if file.name.lower().endswith(".gz") else file.open("rb")


def _encoding(file: Path) -> str:
    """The first encoding in which every byte of the file says something."""
    for encoding in ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with _opened(file) as stream:
                while chunk := stream.read(CHUNK):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        except (OSError, EOFError, zlib.error) as error:
            raise StackFault(f"{file} cannot be unpacked ({type(error).__name__}): pack it again with gzip") from None
        return encoding
    raise StackFault(f"{file} is neither UTF-8 nor GB18030: save it as one of them")


def _lines(file: Path, encoding: str) -> Iterator[list[str]]:
    csv.field_size_limit(MOST_CHARACTERS)
    marked = "utf-8-sig" if encoding == "utf-8" else encoding  # with or without a byte order mark
    with _opened(file) as stream, io.TextIOWrapper(stream, marked, newline="") as text:
        lines = csv.reader(text)
        try:
            yield from lines
        except csv.Error as error:
            raise StackFault(
                f"{file}: what follows line {lines.line_num} cannot be read as CSV ({error}): "
                "a quotation mark may be open there"
            ) from None


# --- XLSX ------------------------------------------------------------------------------------------------------------


def _sheet(file: Path) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(file, read_only=True, data_only=True)
        try:
            for line in book.worksheets[0].iter_rows(values_only=True):
                yield [_cell(value) for value in line]
        finally:
            book.close()
    except MALFORMED as error:
        raise StackFault(
            f"{file} is no readable spreadsheet ({type(error).__name__}): save it as .xlsx again"
        ) from None


def _malformed() -> tuple[type[Exception], ...]:
    """What openpyxl raises for a file that is none: it has no exception of its own for all of that."""
    from xml.etree.ElementTree import ParseError

    return (
        ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, ParseError, RuntimeError,
        TypeError, ValueError, zipfile.BadZipFile, zlib.error,
    )  # fmt: skip


MALFORMED = _malformed()


def _cell(value: object) -> str:
    """A cell as a person reads it: days without a time of midnight, whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time().isoformat() != "00:00:00" else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
