"""`credit submit`: publish a file of records as an agency."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout

SOME_NOT_SENT = 1


def submit(
    file: Annotated[Path, typer.Argument(help="A .csv, .csv.gz or .xlsx file with a header line.")],
    agency: Annotated[str, typer.Option(help="Who submits, e.g. 420000-gsj.")],
    item: Annotated[str, typer.Option(help="The catalogue item, e.g. enterprise-registration.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Publish a file of records as an agency. Exit code 1 if a row could not be sent (it is named)."""
    sent = publish_file(Layout.from_environment(), agency, item, file, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(sent, ensure_ascii=False))
    else:
        for fault in sent["not_sent"]:
            typer.echo(f"line {fault['line']} was not sent: {fault['why']}")
        typer.echo(
            f"{sent['sent']} submissions sent, named {sent['run']}-<line>; answers: credit receipts --agency {agency}"
        )
    if sent["not_sent"]:
        raise typer.Exit(SOME_NOT_SENT)


def publish_file(layout: Layout, agency: str, item_code: str, file: Path, quiet: bool) -> dict[str, Any]:
    """What was sent and what was not; lines count from 1, the header being line 1."""
    from services.cli import catalogue, files, progress
    from services.cli.outsider import Registry
    from services.cli.publishing import Submitter
    from services.cli.rows import RowFault, Sender, submission

    item = catalogue.one(layout, item_code)
    sender = Sender(agency, secrets.token_hex(6), time.time_ns() // 1_000_000)
    door = Submitter(layout, Registry(layout), agency)
    not_sent: list[dict[str, Any]] = []
    for line, row in enumerate(progress.track(list(files.rows(file)), f"{agency} {item_code}", quiet), 2):
        try:
            door.publish(item, submission(item, sender, line, row))
        except RowFault as fault:
            not_sent.append({"line": line, "why": str(fault)})
    door.finish()
    return {"run": sender.run, "agency": agency, "item": item_code, "sent": door.published, "not_sent": not_sent}
