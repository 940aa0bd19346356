"""`credit agency add`: from nothing to an agency that may submit."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def agency() -> None:
    """Agencies (报送单位): who may submit what."""


@app.command("add")
def add(
    code: Annotated[str, typer.Argument(help="Six digits of the region, a hyphen, a short name: 420000-gsj.")],
    name: Annotated[str, typer.Option(help="The agency's name, e.g. 湖北省工商行政管理局.")],
    item: Annotated[list[str] | None, typer.Option(help="An item it may submit; default: all it is named for.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make its topics, user and rights, and register it with ingestion. To run it again is harmless."""
    added = onboard(Layout.from_environment(), code, name, item or ())
    if as_json:
        typer.echo(json.dumps(added, ensure_ascii=False))
        return
    typer.echo(f"{code} may submit: {', '.join(added['items'])}")
    for what in ("password_file", "submit_topic", "receipts_topic", "task_topic", "feedback_topic"):
        typer.echo(f"  {what:<15} {added[what]}")
    typer.echo(
        f"next: credit template {added['items'][0]} -o records.xlsx; credit import records.xlsx --agency {code} ..."
    )


def onboard(layout: Layout, code: str, name: str, items: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """What it got; raises `StackFault` with ingestion's reason."""
    from deploy.local import kafka_admin
    from services.cli import catalogue, commands

    known = catalogue.read(layout)
    wanted = sorted(items or [it.code for it in known.values() if it.is_of(code)])
    unknown = sorted(set(wanted) - known.keys())
    if unknown:
        raise StackFault(f"there is no catalogue item {unknown[0]!r}: choose from {', '.join(sorted(known))}")
    password_file = kafka_admin.onboard_agency(code, layout)
    answer = commands.send(
        layout, "ingestion", "register_agency", code, {"code": code, "name_zh": name, "items": wanted}
    )
    if answer.outcome != "DONE":
        reasons = "; ".join(f"{fault['field']}: {fault['message_en']}" for fault in answer.faults)
        raise StackFault(f"ingestion refused the agency ({reasons}): correct the arguments and call again")
    return {
        "agency": code,
        "items": wanted,
        "password_file": password_file,
        "submit_topic": f"credit.submit.{code}.v1",
        "receipts_topic": f"credit.receipts.{code}.v1",
        "task_topic": f"credit.sanctions.task.{code}.v1",
        "feedback_topic": f"credit.feedback.{code}.v1",
    }
