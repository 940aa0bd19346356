"""`credit lanes list | resume`: how far a service's lanes are, and the word that lets a stopped one go on."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import programs

Service = Annotated[str, typer.Argument(help="ingestion, identity, disclosure, sanctions or national_sync.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)


@app.command("list")
def list_(
    service: Service,
    stopped: Annotated[bool, typer.Option("--stopped", help="Only those that the breaker has stopped.")] = False,
    as_json: Json = False,
) -> None:
    """The lanes of a service: next offset, messages parked, whether the breaker has stopped them."""
    for row in programs.lines(Layout.from_environment(), programs.known(service), ["lanes"]):
        if row["stopped_at"] or not stopped:
            place, state = f"{row['topic']}/{row['partition']}", f"STOPPED since {row['stopped_at']}"
            line = (
                f"{place:<48}next {row['next_offset']:<10}parked {row['parked']:<8}{state if row['stopped_at'] else ''}"
            )
            typer.echo(json.dumps(row) if as_json else line.rstrip())


@app.command()
def resume(
    service: Service,
    lane: Annotated[str, typer.Argument(help="topic/partition, as listed.")],
    as_json: Json = False,
) -> None:
    """Close the breaker: the lane's owner reads on within a second. Mend the cause first, or it trips again."""
    from services.cli import commands

    topic, _, partition = lane.rpartition("/")
    if not topic or not partition.isdecimal():
        raise StackFault(f"{lane!r} is no topic/partition: credit lanes list {programs.known(service)} --stopped")
    arguments = {"topic": topic, "partition": int(partition)}
    answer = commands.send(Layout.from_environment(), programs.known(service), "resume_lane", lane, arguments)
    if answer.outcome != "DONE":
        raise StackFault(f"{answer.faults[0]['message_en']}: credit lanes list {service} --stopped")
    typer.echo(json.dumps({"resumed": lane}) if as_json else f"{lane} goes on")
