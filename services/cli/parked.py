"""`credit parked list | show | release | discard`: what a service has put aside, and the operator's word about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from deploy.local.faults import StackFault
from deploy.local.layout import SERVICES, Layout
from services.cli import parked_orders, programs
from services.cli.parked_choice import Choice, chosen, heads, with_keys

Service = Annotated[str, typer.Argument(help="ingestion, identity, disclosure, sanctions or national_sync.")]
Place = Annotated[str, typer.Argument(help="topic/partition/offset, as listed.")]
Code = Annotated[str, typer.Option(help="All that were parked with this code.")]
Everything = Annotated[bool, typer.Option("--all", help="All that is parked.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Group(TyperGroup):
    """Also takes the older form: `credit parked SERVICE [--release PLACE]`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            rest = [word for word in args[1:] if word != "--release"]
            args = ["release" if "--release" in args else "list", args[0], *rest]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=Group, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)


@app.command("list")
def list_(service: Service, code: Code = "", as_json: Json = False) -> None:
    """What a service has parked, in order: where (a timer below -1), why, since when; never keys or content."""
    rows = listed(service)
    shown = [row for row in rows if code in ("", row["code"])]
    for row in shown:
        behind = "" if row["head"] == row["place"] else f"  behind {row['head']}"
        timer = f"  timer {row['timer']}" if "timer" in row else ""
        line = (
            f"{row['place']}{timer}  {row['code']}  {row['state']}  {row['bytes']} B  since {row['parked_at']}{behind}"
        )
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else line)
    if not as_json:
        typer.echo(f"{len(shown)} of {len(rows)} parked messages, {len(heads(shown))} keys", err=True)


@app.command()
def show(service: Service, place: Place, as_json: Json = False) -> None:
    """One parked message: why it was parked, its headers' names, its size; its value stays masked."""
    rows = list(programs.lines(Layout.from_environment(), programs.known(service), ["parked", place]))
    if not rows:
        raise StackFault(f"nothing is parked at {place!r}: credit parked list {service}")
    if as_json:
        typer.echo(json.dumps(rows[0], ensure_ascii=False))
        return
    for name, value in rows[0].items():
        typer.echo(f"{name:<12}{value}")


@app.command()
def release(
    service: Service,
    place: Place = "",
    code: Code = "",
    everything: Everything = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take parked messages up again, each with everything of its key, in the order they came."""
    rows = with_keys(listed(service), Choice(place, code, everything), service)
    # A key is released whole: one place of it is enough.
    _carry_out(service, "release", rows, heads(rows), "", dry_run, as_json)


@app.command()
def discard(
    service: Service,
    place: Place = "",
    code: Code = "",
    everything: Everything = False,
    reason: Annotated[str, typer.Option(help="Why; kept with your name and the time.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Throw parked messages away for good: an agency is answered REFUSED; what waits behind them can be released."""
    if not reason.strip():
        raise StackFault("a message is thrown away for a reason only: --reason TEXT")
    rows = chosen(programs.known(service), listed(service), Choice(place, code, everything))
    _carry_out(service, "discard", rows, [row["place"] for row in rows], reason, dry_run, as_json)


def listed(service: str) -> list[dict[str, Any]]:
    """What the service itself says; only it opens its store."""
    if service not in SERVICES:
        raise StackFault(f"there is no service {service!r}: choose from {', '.join(SERVICES)}")
    return list(programs.lines(Layout.from_environment(), service, ["parked"]))


def _carry_out(
    service: str,
    kind: str,
    rows: Sequence[dict[str, Any]],
    places: Sequence[str],
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    done = {"service": service, "order": kind, "messages": len(rows), "keys": len(heads(rows)), "dry_run": dry_run}
    if not dry_run:
        done |= parked_orders.carry_out(Layout.from_environment(), service, kind, rows, places, reason)
    elif not as_json:
        for row in rows:
            typer.echo(f"{row['place']}  {row['code']}")
    if as_json:
        typer.echo(json.dumps(done))
        return
    words = "would be" if dry_run else "were"
    again = (
        f"; {done['parked_again']} are parked again: credit parked list {service}" if done.get("parked_again") else ""
    )
    typer.echo(f"{len(rows)} messages of {done['keys']} keys {words} {kind.rstrip('e')}ed{again}")
