"""`credit review list | claim | decide`: what identity could not link, and what people make of it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout
from services.cli import identity_queries

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)
Record = Annotated[str, typer.Argument(help="A record id, as listed.")]
Version = Annotated[int, typer.Argument(help="Its version, as listed.")]
By = Annotated[str, typer.Option(help="Who; without it the user of this shell.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(
    item: Annotated[str, typer.Option(help="Only of this catalogue item.")] = "",
    agency: Annotated[str, typer.Option(help="Only of this agency.")] = "",
    reason: Annotated[str, typer.Option(help="Only with this reason.")] = "",
    name: Annotated[str, typer.Option(help="Only where the reported name holds this.")] = "",
    state: Annotated[str, typer.Option(help="WAITING, LINKED, SUPERSEDED or REJECTED.")] = "WAITING",
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """What waits for a person, or for a code that a mapping or registration will bring."""
    wanted = {"item": item, "agency": agency, "reason": reason, "name_part": name, "state": state}
    for row in _rows(Layout.from_environment(), wanted, limit):
        claimed = f"  taken by {row['claimed_by']}" if row["claimed_by"] else ""
        line = f"{row['record_id']} {row['version']}  {row['reason']:<24}{row['item']:<26}{row['agency']:<14}"
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else f"{line}{row['subject_name']}{claimed}")


def _rows(layout: Layout, wanted: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = 0
    while len(found) < limit:
        page = identity_queries.ask(layout, "ListReview", **wanted, page_size=500, after=after)
        found += page["items"]
        after = int(page["next_after"])
        if not after:
            break
    return found[:limit]


@app.command()
def claim(
    record: Record,
    version: Version,
    minutes: Annotated[int, typer.Option(help="For so long, 1 to 240.")] = 30,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Take a version for a while: others are told that you have it."""
    layout = Layout.from_environment()
    done = identity_queries.order(layout, "claim_review", by, record_id=record, version=version, minutes=minutes)
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else f"taken by {done['claimed_by']}")


@app.command()
def decide(
    record: Record,
    version: Version,
    decision: Annotated[str, typer.Argument(help="link, leave or reject.")],
    subject: Annotated[str, typer.Option(help="link: to whom; a unified social credit code or a subject id.")] = "",
    reason: Annotated[str, typer.Option(help="Why; kept with your name and the time. No codes.")] = "",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Link a version to a subject, leave it where it is, or take it out of review for good."""
    said = {"record_id": record, "version": version, "decision": decision, "subject": subject, "reason": reason}
    done = identity_queries.order(Layout.from_environment(), "decide_review", by, **said)
    words = "done" if done["carried_out"] else "proposed: another person must decide alike"
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else f"{done['decision']}: {words}")
