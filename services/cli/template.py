"""`credit template ITEM`: the spreadsheet that an agency fills in, made from the catalogue item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout
from services.cli.catalogue_words import both, kept_out

ROWS = 1000  # so many rows get the drop-down lists
LIST_LIMIT = 255  # a spreadsheet program takes no longer list in a rule; what is longer stands on a sheet of its own
CODES = "代码表 codes"
NUMBER = "the resident identity number; it stands in no other column"


def template(
    item: Annotated[str, typer.Argument(help="The catalogue item, e.g. org-penalty.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Default: ITEM.xlsx here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the columns as JSON, write no file.")] = False,
) -> None:
    """Write the spreadsheet of a catalogue item: one column a field, drop-downs, and a sheet of notes."""
    import json

    from services.cli import catalogue

    found = catalogue.one(Layout.from_environment(), item)
    if as_json:
        typer.echo(json.dumps(columns(found.definition), ensure_ascii=False))
        return
    file = output or Path(f"{item}.xlsx")
    _write(found.definition, file)
    typer.echo(f"{file} written; fill it in, then: credit import {file} --agency AGENCY --item {item}")


def columns(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns of a file of this item: first what names the record and its subject, then the fields.

    `list`: the values that a drop-down offers; empty where others are right too.
    """
    envelope = {"record_no": "record_no", **definition["envelope_columns"]}
    persons = "person" in definition["subject_kinds"]
    notes = {
        "record_no": "your own stable number of this record; empty: made from the row",
        "subject_name": "name of the subject",
        "subject_code": NUMBER if persons else "its code; 18 characters are a unified social credit code",
        "decided_on": "YYYY-MM-DD",
    }
    first: list[dict[str, Any]] = [
        {"name": str(name), "rule": notes[key], "list": []} for key, name in envelope.items()
    ]
    taken = set(envelope.values())
    return first + [_column(field) for field in definition["fields"] if field["name_zh"] not in taken]


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    limit = f", at most {field['max_length']} characters" if "max_length" in field else ""
    entries = list(field.get("code_list", ()))
    several = f"; several separated by {field['separator']}" if field.get("separator") else ""
    values = f"; one of {' | '.join(entries)}{several}" if entries else ""
    rule = f"{field['code']}: {field['name_en']}; {field['type']}{limit}; {field['required']}{values}"
    offered = [] if several or any("*" in entry for entry in entries) else entries
    return {"name": str(field["name_zh"]), "rule": rule, "list": offered}


def about(definition: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the sheet of notes says of the item before its columns."""
    deadline = definition["deadline"]
    return [
        ("事项 item", f"{definition['code']} {definition['version']} {definition['name_zh']}"),
        ("时限 deadline", f"{deadline['days']} {both('unit', deadline['unit'])}"),
        ("披露 disclosure", both("disclosure", definition["disclosure"])),
        *(("依据 legal basis", f"{e['document']} {e['article']}") for e in definition["legal_basis"]),
        *(("不予归集 not collected", kept_out(rule)) for rule in definition.get("not_collected", ())),
    ]


def _write(definition: Mapping[str, Any], file: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet, notes = book.worksheets[0], book.create_sheet("说明 notes")
    sheet.title = str(definition["code"])[:31]
    for line in [*about(definition), ("列 column", "规则 rule")]:
        notes.append(list(line))
    for number, column in enumerate(columns(definition), 1):
        letter = get_column_letter(number)
        sheet.cell(1, number, column["name"]).font = Font(bold=True)
        sheet.column_dimensions[letter].width = 24
        notes.append([column["name"], column["rule"]])
        if column["list"]:
            _offer(book, sheet, letter, column["list"])
    sheet.freeze_panes = "A2"
    book.save(file)


def _offer(book: Any, sheet: Any, letter: str, values: list[str]) -> None:
    """A drop-down for a column; a list that is too long for a rule, or has a comma in it, goes to its sheet."""
    from openpyxl.worksheet.datavalidation import DataValidation

    text = ",".join(values)
    if len(text) > LIST_LIMIT or any("," in value or '"' in value for value in values):
        source = _listed(book, letter, values)
    else:
        source = f'"{text}"'
    rule: Any = DataValidation(type="list", formula1=source, allow_blank=True)
    rule.add(f"{letter}2:{letter}{ROWS + 1}")
    sheet.add_data_validation(rule)


def _listed(book: Any, letter: str, values: list[str]) -> str:
    """Where the values stand: in the column of the same letter."""
    codes = book[CODES] if CODES in book.sheetnames else book.create_sheet(CODES)
    for row, value in enumerate(values, 1):
        codes[f"{letter}{row}"] = value
    return f"'{CODES}'!${letter}$1:${letter}${len(values)}"
