"""`credit parked SERVICE`: what a service has put aside, and the operator's word to take it up again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import REPO, SERVICES, Layout

PLACE = re.compile(r"(credit\.[a-z0-9.-]+)/(\d+)/(\d+)")


def parked(
    service: Annotated[str, typer.Argument(help="ingestion, identity, disclosure, sanctions or national_sync.")],
    release: Annotated[str, typer.Option(help="topic/partition/offset, as listed: take up its key again.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List what a service has parked, without keys or content; or release a key, in the order its messages came."""
    if service not in SERVICES:
        raise StackFault(f"there is no service {service!r}: choose from {', '.join(SERVICES)}")
    layout = Layout.from_environment()
    if release:
        _release(layout, service, release)
        typer.echo(json.dumps({"released": release}) if as_json else f"{release} and what waits behind it are taken up")
        return
    for row in listed(layout, service):
        place = f"{row['topic']}/{row['partition']}/{row['offset']}"
        typer.echo(json.dumps(row) if as_json else f"{place}  {row['code']}  since {row['parked_at']}")


def listed(layout: Layout, service: str) -> list[dict[str, Any]]:
    """What the service itself says; only it opens its store."""
    from deploy.local.programs import service_environment

    command = [sys.executable, "-m", f"services.{service}", "parked"]
    environment = {**os.environ, **service_environment(layout, service)}
    done = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, check=False)  # noqa: S603 - a program of ours
    if done.returncode:
        raise StackFault(f"{service} cannot list what is parked: credit status; credit logs {service}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _release(layout: Layout, service: str, place: str) -> None:
    from services.cli import commands

    found = PLACE.fullmatch(place)
    if found is None:
        raise StackFault(f"{place!r} is no topic/partition/offset: credit parked {service} lists them")
    arguments = {"topic": found[1], "partition": int(found[2]), "offset": int(found[3])}
    answer = commands.send(layout, service, "release_parked", place, arguments)
    if answer.outcome != "DONE":
        raise StackFault(f"{answer.faults[0]['message_en']}: credit parked {service} lists what is")
