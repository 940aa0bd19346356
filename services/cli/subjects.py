"""`credit merge | unmerge | judge`: what people say of two subjects."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout
from services.cli import identity_queries

Subject = Annotated[str, typer.Argument(help="A unified social credit code, or a subject id.")]
Reason = Annotated[str, typer.Option(help="Why; kept with your name and the time. No codes.")]
By = Annotated[str, typer.Option(help="Who decides; without it the user of this shell.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def merge(into: Subject, gone: Subject, reason: Reason = "", by: By = "", as_json: Json = False) -> None:
    """Let the first subject stand for the second: its records become the first one's, and its codes lead there."""
    _pair("merge_subjects", into, gone, reason, by, as_json)


def unmerge(into: Subject, gone: Subject, reason: Reason = "", by: By = "", as_json: Json = False) -> None:
    """Take apart what was merged: the second subject has its records back, also those that came meanwhile."""
    _pair("unmerge_subjects", into, gone, reason, by, as_json)


def _pair(kind: str, into: str, gone: str, reason: str, by: str, as_json: bool) -> None:
    done = identity_queries.order(Layout.from_environment(), kind, by, into=into, gone=gone, reason=reason)
    _say(done, f"{done['records']} records are about subject {done['subject_id']} now", as_json)


def judge(
    one: Subject,
    other: Subject,
    verdict: Annotated[str, typer.Argument(help="same, not-same or unsure.")],
    reason: Reason = "",
    by: By = "",
    overrule: Annotated[bool, typer.Option("--overrule", help="Although somebody said the contrary.")] = False,
    as_json: Json = False,
) -> None:
    """Say whether two subjects are the same; kept as data, and asked before any merge."""
    said = verdict.upper().replace("-", "_")
    done = identity_queries.order(
        Layout.from_environment(),
        "judge_subjects",
        by,
        one=one,
        other=other,
        verdict=said,
        overrule=overrule,
        reason=reason,
    )
    _say(done, f"judgement {done['number']}: {done['verdict']}", as_json)


def _say(done: dict[str, Any], text: str, as_json: bool) -> None:
    typer.echo(json.dumps(done, ensure_ascii=False) if as_json else text)
