"""`credit codes report`: how well agencies name their subjects."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout
from services.cli import identity_queries

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)
FAULTS = ("unmapped", "wrong", "duplicate")


@app.callback()
def codes() -> None:
    """Unmapped, wrong and duplicate codes."""


@app.command()
def report(
    month: Annotated[str, typer.Option(help="YYYY-MM, of Beijing; without it all months.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rates of unmapped, wrong and duplicate codes by agency and month; a version counts once, as it came."""
    found = identity_queries.ask(Layout.from_environment(), "ReportCodes", month=month)["rates"]
    for row in map(_rated, found):
        rates = "".join(f"{row[fault]:>9}{row[fault + '_rate']:>9.4%}" for fault in FAULTS)
        line = f"{row['month']}  {row['agency']:<14}{row['checked']:>9} checked{rates}"
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else line)


def _rated(row: dict[str, Any]) -> dict[str, Any]:
    counts = {name: int(row[name]) for name in ("checked", *FAULTS)}
    return {**row, **counts, **{f"{fault}_rate": counts[fault] / max(counts["checked"], 1) for fault in FAULTS}}
