"""`credit template ITEM`: the spreadsheet that an agency fills in, made from the catalogue item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout

ROWS = 1000  # so many rows get the drop-down lists
LIST_LIMIT = 255  # a spreadsheet program takes no longer list in a rule


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


def columns(definition: Mapping[str, Any]) -> list[dict[str, str]]:
    """The columns of a file of this item: first what names the record and its subject, then the fields."""
    envelope = {"record_no": "record_no", **definition["envelope_columns"]}
    notes = {
        "record_no": "your own stable number of this record; empty: made from the row",
        "subject_name": "name of the subject",
        "subject_code": "its code; 18 characters are a unified social credit code",
        "decided_on": "YYYY-MM-DD",
    }
    first = [{"name": str(name), "rule": notes[key], "list": ""} for key, name in envelope.items()]
    taken = set(envelope.values())
    return first + [_column(field) for field in definition["fields"] if field["name_zh"] not in taken]


def _column(field: Mapping[str, Any]) -> dict[str, str]:
    limit = f", at most {field['max_length']} characters" if "max_length" in field else ""
    listed = [] if field.get("separator") else [e for e in field.get("code_list", ()) if "*" not in e]
    rule = f"{field['code']}: {field['name_en']}; {field['type']}{limit}; {field['required']}"
    return {"name": str(field["name_zh"]), "rule": rule, "list": ",".join(listed)}


def _write(definition: Mapping[str, Any], file: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet, notes = book.worksheets[0], book.create_sheet("说明 notes")
    sheet.title = str(definition["code"])[:31]
    notes.append(["列 column", "规则 rule"])
    for number, column in enumerate(columns(definition), 1):
        sheet.cell(1, number, column["name"]).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = 24
        notes.append([column["name"], column["rule"]])
        if column["list"] and len(column["list"]) < LIST_LIMIT:
            rule: Any = DataValidation(type="list", formula1=f'"{column["list"]}"', allow_blank=True)
            rule.add(f"{get_column_letter(number)}2:{get_column_letter(number)}{ROWS + 1}")
            sheet.add_data_validation(rule)
    sheet.freeze_panes = "A2"
    book.save(file)
