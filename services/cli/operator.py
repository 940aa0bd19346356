"""`credit operator add | list | end`: who may give commands, and on whose behalf."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from deploy.local import operators
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

PRINCIPAL, PATTERN = re.compile(r"[a-z0-9][a-z0-9-]*"), re.compile(r"[\w*?:-]+")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Principal = Annotated[str, typer.Argument(help="The name that its commands carry as issued_by.")]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)


@app.command()
def add(
    principal: Principal,
    command: Annotated[list[str], typer.Option(help="<service>:<type> it may give, e.g. ingestion:confirm_item.")],
    speaks_for: Annotated[list[str] | None, typer.Option(help="A unit or person it may act for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a principal and register it. It holds when this returns; `CREDIT_OPERATOR` uses it."""
    if not PRINCIPAL.fullmatch(principal):
        raise StackFault(f"{principal!r} is no name of a principal: lower-case letters, digits and hyphens")
    for pattern in (*command, *(speaks_for or ())):
        if not PATTERN.fullmatch(pattern):
            raise StackFault(f"{pattern!r} is no pattern: letters, digits, - _ : and * or ? for what may vary")
    _say([operators.add(Layout.from_environment(), principal, command, speaks_for or ())], as_json)


@app.command("list")
def show(as_json: AsJson = False) -> None:
    """Every entry, also those that have ended."""
    _say(operators.read(Layout.from_environment())["operator"], as_json)


@app.command()
def end(principal: Principal, as_json: AsJson = False) -> None:
    """Take a principal its rights; what it ordered before stands. It holds when this returns."""
    _say([operators.end(Layout.from_environment(), principal)], as_json)


def _say(entries: Sequence[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(entries, ensure_ascii=False, default=lambda moment: moment.isoformat()))
        return
    for entry in entries:
        until = f" until {entry['until']:%Y-%m-%d %H:%M:%S}Z" if "until" in entry else ""
        typer.echo(f"{entry['principal']}  since {entry['since']:%Y-%m-%d %H:%M:%S}Z{until}")
        typer.echo(f"  key         {entry['public_key']}")
        typer.echo(f"  commands    {', '.join(entry['commands']) or '-'}")
        typer.echo(f"  speaks for  {', '.join(entry['speaks_for']) or '-'}")
