"""`credit errors`: the published list of faults (错误目录), as ingestion itself tells it; it needs no running stack."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import errors_page, programs
from services.cli.errors_page import Row

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def errors() -> None:
    """Every fault a receipt can state."""


@app.command("list")
def list_errors(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List code, rule and explanation of every fault."""
    for row in read():
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else f"{row['code']:<26}{row['message_en']}")


@app.command("page")
def page(
    output: Annotated[Path, typer.Option("--output", "-o", help="A file ending in .html or .md.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the list as a page for people."""
    rows = list(read())
    render = errors_page.RENDERED.get(output.suffix)
    if render is None:
        raise StackFault(f"{output}: a page is written as .html or .md, give the file such a name")
    output.write_text(render(rows), encoding="utf-8")
    told = {"file": str(output), "faults": len(rows)}
    typer.echo(json.dumps(told) if as_json else f"{output} written: {len(rows)} faults")


def read() -> Iterable[Row]:
    """One row a code, in the order of the road."""
    return programs.lines(Layout.from_environment(), "ingestion", ["errors"])
