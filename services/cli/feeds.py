"""`credit feeds`: what each agency sends of each item, and who is silent; `credit feeds expect`: what is expected."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import programs
from services.cli.fill import fill
from services.cli.twice import twice

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Agency = Annotated[str, typer.Argument(help="The agency's code, e.g. 420000-hbt.")]
Item = Annotated[str, typer.Argument(help="The code of a catalogue item, e.g. org-penalty.")]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
HEAD = (
    f"{'agency':<16}{'item':<26}{'last seen':<27}{'usual':>7}{'quiet':>7}"
    f"{'submitted':>11}{'dupl.':>8}{'refused':>8}{'late':>8}"
)


@app.callback(invoke_without_command=True)
def feeds(
    context: typer.Context,
    agency: Annotated[str, typer.Option(help="Only this agency's feeds.")] = "",
    silent: Annotated[bool, typer.Option("--silent", help="Only those that are silent against their usual.")] = False,
    as_json: Json = False,
) -> None:
    """What each agency has sent of each item in the last 100 days: counts, rates, and who is silent.

    `usual` and `quiet` are records and whole days without any, by working days; `late` is the agency's own hop.
    """
    if context.invoked_subcommand:
        return
    found = [feed for feed in read(Layout.from_environment()) if agency in ("", feed["agency"])]
    shown = [feed for feed in found if feed["silent"] or not silent]
    if as_json:
        for feed in shown:
            typer.echo(json.dumps(feed, ensure_ascii=False))
        return
    typer.echo(HEAD if shown else "no such feed" if agency or silent else "nothing was submitted yet")
    for feed in shown:
        typer.echo(line(feed))


def read(layout: Layout) -> list[dict[str, Any]]:
    """As ingestion tells them, in the order of agency and item."""
    return list(programs.lines(layout, "ingestion", ["feeds"]))


def line(feed: dict[str, Any]) -> str:
    """A feed for a person's eyes."""
    usual = "-" if feed["usual_per_working_day"] is None else f"{feed['usual_per_working_day']:.1f}"
    quiet = "-" if feed["quiet_working_days"] is None else feed["quiet_working_days"]
    front = f"{feed['agency']:<16}{feed['item']:<26}{feed['last_seen'] or 'never':<27}{usual:>7}{quiet:>7}"
    numbers = f"{feed['submitted']:>11}{feed['duplicate']:>8}{feed['refused']:>8}{feed['late_agency']:>8}"
    return front + numbers + (f"  SILENT, {feed['missing']:.0f} missing" if feed["silent"] else "")


app.command("fill", help=fill.__doc__)(fill)
app.command("twice", help=twice.__doc__)(twice)


@app.command("expect")
def expect(
    agency: Agency,
    item: Item,
    records: Annotated[int, typer.Option(help="So many records …", min=0)],
    days: Annotated[int, typer.Option(help="… in so many working days.", min=1)] = 1,
    as_json: Json = False,
) -> None:
    """Say what is expected of a feed. It then counts instead of what was usual; 0 records: it may be silent."""
    from services.cli import commands

    arguments = {"agency": agency, "item": item, "records": records, "days": days}
    answer = commands.send(Layout.from_environment(), "ingestion", "expect_feed", agency, arguments)
    if answer.outcome != "DONE":
        reasons = "; ".join(f"{fault['field']}: {fault['message_en']}" for fault in answer.faults)
        raise StackFault(f"ingestion refused ({reasons}): correct the arguments and call again")
    typer.echo(json.dumps(arguments) if as_json else f"{agency} {item}: {records} in {days} working days")
