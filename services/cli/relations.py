"""`credit relations CODE`: who holds and held an office in an organisation, by the records that say it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout
from services.cli import identity_queries

BEIJING = timezone(timedelta(hours=8))
NUMBERS = ("version", "said_at_ms", "since_ms", "ended_by_version", "ended_at_ms")  # protobuf's JSON has text for these


def relations(
    code: Annotated[str, typer.Argument(help="An organisation's unified social credit code, or another with --kind.")],
    kind: Annotated[str, typer.Option(help="uscc, org_code, reg_no or tax_no.")] = "uscc",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say who holds and held an office: legal representative, head, owner, responsible person. No names are kept.

    Each line names the record that says it; a person's subject id is told only where the record gave a document.
    """
    found = identity_queries.ask(Layout.from_environment(), "ListRelations", code_kind=kind, code=code)
    told: list[dict[str, Any]] = found["relations"]
    for one in told:
        one |= {name: int(one[name]) for name in NUMBERS}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    standing = sum(one["stands"] for one in told)
    typer.echo(f"subject {found['subject_id']}: {standing} standing, {len(told) - standing} ended")
    for one in told:
        typer.echo(f"  {one['role']:<22}since {_day(one['since_ms'])}  {_end(one)}")
        who = f"person {one['person']}" if one["person"] else "a name alone, in the record"
        typer.echo(f"      {one['item']} of {one['agency']}: record {one['record_id']} version {one['version']}; {who}")


def _end(one: dict[str, Any]) -> str:
    if one["stands"]:
        return "stands"
    by = f" by record {one['ended_by']} version {one['ended_by_version']}" if one["ended_by"] else ""
    return f"{one['ended_as'].lower()} {_day(one['ended_at_ms'])}{by}"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(BEIJING).date().isoformat()
