"""`credit replay SERVICE`: rebuild its store from the journals into an empty database, and compare the two."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy.local import postgres
from deploy.local.layout import Layout
from services.cli import programs
from services.cli.progress import bars

DIFFERS, PROGRAM_SAYS_DIFFERS = 1, 3


def replay(
    service: Annotated[str, typer.Argument(help="ingestion, identity, disclosure, sanctions or national_sync.")],
    verify: Annotated[bool, typer.Option("--verify", help="Rebuild nothing, only compare with the last one.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop the rebuilt database when it is equal.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rebuild a service's store in the empty database SERVICE_replay and compare; exit code 1 when they differ.

    The live service may go on: compared is one moment of its store. A database of that name is dropped first.
    """
    layout, name = Layout.from_environment(), f"{programs.known(service)}_replay"
    target = layout.database(service).removesuffix(service) + name
    if not verify:
        postgres.make_empty(layout, service, name)
        for _ in programs.lines(layout, service, ["migrate"], {"CREDIT_POSTGRES_DSN": target}):
            pass
    said = _replayed(layout, service, target, verify)
    if drop and said["equal"]:
        postgres.drop(layout, name)
    typer.echo(json.dumps(said, ensure_ascii=False)) if as_json else _print(said, name)
    raise typer.Exit(0 if said["equal"] else DIFFERS)


def _replayed(layout: Layout, service: str, target: str, verify: bool) -> dict[str, Any]:
    """The last line of the program, with the tables in it."""
    tables: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    words = ["replay", "verify"] if verify else ["replay"]
    with bars() as progress:
        bar = progress.add_task(f"{service}: turns", total=None)
        for line in programs.lines(layout, service, words, {"CREDIT_REPLAY_DSN": target}, PROGRAM_SAYS_DIFFERS):
            if "of" in line:
                progress.update(bar, total=line["of"], completed=line["turns"])
            elif "table" in line:
                tables.append(line)
            else:
                last = line
    return {"service": service, **last, "tables": tables}


def _print(said: dict[str, Any], name: str) -> None:
    for row in said["tables"]:
        typer.echo(f"{'equal  ' if row['live'] == row['replayed'] else 'DIFFERS'}  {row['table']}")
    typer.echo(f"not compared: {', '.join(said['left_out'])}")
    for what, times in said["recalled"].items():
        typer.echo(f"taken from the live journal, since it cannot be made again: {times:,} {what}")
    typer.echo(
        f"{said['messages']:,} messages in {said['turns']:,} turns, {said['seconds']} s: the stores are "
        f"{'equal' if said['equal'] else 'DIFFERENT: look into the table named above'} (database {name})"
    )
