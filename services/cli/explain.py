"""`credit explain RECORD`: why a record is about whom it is about."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from deploy.local.layout import Layout
from services.cli import identity_queries


def explain(
    record: Annotated[str, typer.Argument(help="A record id, as receipts and traces name it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say why a record is about whom it is about: rule, what was compared with both values, merges and decisions."""
    found = identity_queries.ask(Layout.from_environment(), "Explain", record_id=record)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    whom = f"about subject {found['subject_id']} by {found['rule']}" if found["subject_id"] else "about nobody known"
    typer.echo(f"record {found['record_id']} is {whom}")
    for feature in found["features"]:
        agrees = "equal" if feature["agrees"] else "differs"
        typer.echo(
            f"  {feature['name']:<10}{feature['weight']:<14}{agrees:<9}"
            f"given {feature['given'] or '-'}  known {feature['known'] or '-'}"
        )
    for mapping in found["brought_by"]:
        typer.echo(f"  the code was brought by mapping {mapping}")
    if len(found["chain"]) > 1:
        typer.echo(f"  merged: {' -> '.join(found['chain'])}")
    for said in found["judgements"]:
        typer.echo(f"  {said['verdict']} by {said['by']}: {said['reason']}")
    for decided in found["decisions"]:
        typer.echo(f"  version {decided['version']}: {decided['decision']} by {decided['by']}: {decided['reason']}")
    for item in found["items"]:
        typer.echo(f"  version {item['version']} {item['state']}: {item['reason']}")
