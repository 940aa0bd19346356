"""`credit demo`: the main job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.layout import Layout

UNEXPLAINED = 1
WIDTH = 118  # of tables that go into a file


def demo(
    data: Annotated[Path | None, typer.Option(help="A folder of registrations; default: generated ones.")] = None,
    count: Annotated[int, typer.Option(help="How many registrations to generate.")] = 5000,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running.")] = False,
    kill: Annotated[bool, typer.Option("--kill", help="Kill each service once with SIGKILL meanwhile.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """The whole road once: start everything, publish, wait, reconcile. Exit code 1 if anything is unexplained."""
    from rich.console import Console

    from deploy.local import stack
    from services.cli.demo import report, run

    layout = Layout.from_environment()
    up_before = bool(stack.is_up(layout))
    try:
        found = run.whole(layout, run.Wish(data, count, kill), quiet=as_json)
    finally:
        if not keep and not up_before:
            stack.down(layout)
    file = layout.var / "demo" / "report.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        console = Console()
        report.show(found, console if console.is_terminal else Console(width=WIDTH))
        typer.echo(f"the same as JSON: {file}")
        if keep or up_before:
            typer.echo("the stack is still running: credit status, credit subject CODE, credit down")
    if not found["ok"]:
        raise typer.Exit(UNEXPLAINED)
