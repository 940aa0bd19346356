"""`credit up | down | status | logs | wipe`."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Annotated

import typer

from deploy.local import stack, state
from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from deploy.local.supervisor_file import log_of

NOT_ALL = 3
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def up(
    only: Annotated[str, typer.Option(help="Programs, separated by commas; also: infra, services.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing while starting.")] = False,
    as_json: Json = False,
) -> None:
    """Start the stack and the services, and wait until they can work."""
    layout = Layout.from_environment()
    silent = quiet or as_json
    signal.signal(signal.SIGTERM, _interrupt)
    names = [name.strip() for name in only.split(",") if name.strip()]
    stack.up(layout, names, tell=(lambda line: None) if silent else typer.echo)
    if as_json:
        typer.echo(json.dumps(state.as_json(layout)))
    elif not quiet:
        typer.echo(f"ready; addresses in {layout.var}/stack.env")


def _interrupt(number: int, frame: object) -> None:
    """Told to end while starting: what was started is stopped again on the way out."""
    raise SystemExit(128 + number)


def down(as_json: Json = False) -> None:
    """Stop everything."""
    stopped = stack.down(Layout.from_environment())
    typer.echo(json.dumps({"stopped": stopped}) if as_json else ("stopped" if stopped else "nothing was running"))


def status(as_json: Json = False) -> None:
    """What runs, where it listens, whether it can work. Exit code 3 if something that was started cannot."""
    layout = Layout.from_environment()
    found = state.read(layout)
    if as_json:
        typer.echo(json.dumps(state.as_json(layout, found)))
    else:
        _print(found)
    if not found or not all(program.ready for program in found):
        raise typer.Exit(NOT_ALL)


def _print(found: list[state.ProgramState]) -> None:
    if not found:
        typer.echo("not running: credit up")
        return
    typer.echo(f"{'program':<16}{'state':<10}{'ready':<7}{'pid':>8}{'MB':>7}{'seconds':>9}  listens on")
    for it in found:
        numbers = f"{it.pid:>8}{it.megabytes:>7}{it.seconds:>9}"
        typer.echo(f"{it.name:<16}{it.state:<10}{'yes' if it.ready else 'no':<7}{numbers}  {', '.join(it.addresses)}")


def logs(
    name: Annotated[str, typer.Argument(help="A program, as credit status names it.")],
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more.")] = False,
) -> None:
    """What a program wrote."""
    layout = Layout.from_environment()
    file = log_of(layout, name)
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in layout.logs.glob("*.log"))) or "none yet"
        raise StackFault(f"there is no log of {name!r}: choose from {known}")
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), str(file)]
    subprocess.run(command, check=False)  # noqa: S603 - a program we name, a file we made


def wipe(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Stop everything and delete all data of the stack."""
    layout = Layout.from_environment()
    if not yes:
        typer.confirm(f"delete {layout.var} with all data?", abort=True, err=True)
    wiped = stack.wipe(layout)
    typer.echo(json.dumps({"wiped": wiped}) if as_json else ("wiped" if wiped else "there was nothing"))
