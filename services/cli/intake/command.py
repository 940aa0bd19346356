"""`credit import`: publish a file of records as an agency, and write the answer beside each row."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout

SOME_NOT_TAKEN = 1
NOT_TAKEN = ("REFUSED", "NOT_SENT", "UNANSWERED", "WAITING")


def import_file(
    file: Annotated[Path, typer.Argument(help="A .csv, .csv.gz or .xlsx file with a header line, UTF-8 or GB18030.")],
    agency: Annotated[str, typer.Option(help="Who submits, e.g. 420000-gsj.")],
    item: Annotated[str, typer.Option(help="The catalogue item, e.g. enterprise-registration.")],
    shape: Annotated[str, typer.Option(help="The field set of the file, e.g. 2016; default: told by its header.")] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE for every row that does not say it itself.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the answers.")] = True,
    again: Annotated[bool, typer.Option("--again", help="Send every row again, also those sent before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish a file of records as an agency and write FILE.answers beside it: every row with its answer.

    Interrupted, the same command goes on where it was; nothing is sent twice under two names.
    Exit code 1 if a row was refused, could not be sent or has no answer yet.
    """
    from services.cli.intake.importing import Wish, whole

    wish = Wish(file, agency, item, shape, _constants(settings or ()), wait, again)
    found = whole(Layout.from_environment(), wish, lambda: time.time_ns() // 1_000_000, quiet=as_json)
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else told(found, wait))
    if any(found["outcomes"].get(name) for name in (NOT_TAKEN if wait else ("NOT_SENT",))):
        raise typer.Exit(SOME_NOT_TAKEN)


def _constants(settings: Iterable[str]) -> dict[str, str]:
    pairs = [setting.partition("=") for setting in settings]
    if any(not name or not sign for name, sign, _ in pairs):
        raise typer.BadParameter("--set wants FIELD=VALUE, e.g. --set CF_CFJGDM=11420000011043217X")
    return {name: value for name, _, value in pairs}


def told(found: dict[str, Any], wait: bool) -> str:
    """The report for a person."""
    lines = [f"{found['rows']} rows of {found['item']}, run {found['run']}" + _shape(found)]
    lines += [f"  {name:<12}{count:>10}" for name, count in found["outcomes"].items()]
    for title in ("faults", "notes"):
        lines += [f"  {title[:-1]} {code:<28}{count:>8}" for code, count in found[title].items()]
    if found["ignored_columns"]:
        lines.append(f"columns not used: {', '.join(found['ignored_columns'])}")
    lines.append(
        f"{found['seconds']} s, {found['rows_per_second']} rows/s, {found['peak_memory_mb']} MB; "
        f"the answer of every row: {found['answers']}"
    )
    if wait and (found["outcomes"].get("UNANSWERED") or found["outcomes"].get("WAITING")):
        lines.append(
            "not every row has its final answer: the same command reads on (credit status; credit parked list)"
        )
    return "\n".join(lines)


def _shape(found: dict[str, Any]) -> str:
    return f", field set {found['shape']}" if found["shape"] else ""
