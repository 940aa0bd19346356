"""`credit agency`: from nothing to an agency that may submit, and who may."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
PLACES = ("password_file", "submit_topic", "receipts_topic", "task_topic", "feedback_topic")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Code = Annotated[str, typer.Argument(help="Six digits of the region, a hyphen, a short name: 420000-gsj.")]


@app.callback()
def agency() -> None:
    """Agencies (报送单位): who may submit what."""


@app.command("list")
def list_agencies(
    tier: Annotated[str, typer.Option(help="Only province, prefecture or county.")] = "",
    shipped: Annotated[bool, typer.Option("--shipped", help="The shipped register alone; needs no stack.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List the reporting units of 2017 and everybody who is registered here."""
    from services.cli import agency_register

    if tier not in ("", *agency_register.TIERS):
        raise StackFault(f"there is no tier {tier!r}: choose from {', '.join(agency_register.TIERS)}")
    known = agency_register.everybody(Layout.from_environment(), running=not shipped)
    rows = [agency.row for agency in known if tier in ("", agency.said("tier"))]
    for row in rows:
        typer.echo(json.dumps(row, ensure_ascii=False) if as_json else _line(row))
    if not as_json:
        typer.echo(f"{len(rows)} agencies, {sum(row['registered'] for row in rows)} of them registered")


def _line(row: Mapping[str, Any]) -> str:
    state = f"registered, {len(row['items'])} items" if row["registered"] else f"since {row['expected_since'] or '?'}"
    return f"{row['code']:<14}{row['tier']:<11}{row['parent'] or '-':<13}{state:<22}{row['name_zh']}"


@app.command("show")
def show(code: Code, as_json: Json = False) -> None:
    """Show an agency: what is known of it, what it may submit, its quota, who answers for it."""
    from deploy.local import kafka_admin
    from services.cli import agency_register

    layout = Layout.from_environment()
    found = {known.code: known for known in agency_register.everybody(layout)}.get(code)
    if found is None:
        raise StackFault(f"nobody knows an agency {code!r}: credit agency list; credit agency add {code} --name NAME")
    facts = found.row
    if found.registered:
        facts |= {"roles": agency_register.roles(layout, code), "quota": dict(kafka_admin.quota_of(code, layout))}
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for name, value in facts.items():
        typer.echo(f"{name:<15} {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return ", ".join(f"{name} {text}" for name, text in pairs.items() if text != "") or "-"
    return ", ".join(value) or "-" if isinstance(value, list) else str(value or "-")  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


@app.command("add")
def add(
    code: Code,
    name: Annotated[str, typer.Option(help="Its name; default: as the register of 2017 has it.")] = "",
    item: Annotated[
        list[str] | None,
        typer.Option(help="An item it may submit; default: all it is named for but those about natural persons."),
    ] = None,
    kind: Annotated[str, typer.Option(help="department, court, vertical, credit_authority, mass_organisation.")] = "",
    parent: Annotated[str, typer.Option(help="The unit of a higher tier that it reports through.")] = "",
    expected_since: Annotated[str, typer.Option(help="Since when its records are expected: 2017-06-30.")] = "",
    chief: Annotated[str, typer.Option(help="总负责人: an office or post, never a person's name.")] = "",
    business: Annotated[str, typer.Option(help="业务负责人: the same.")] = "",
    technical: Annotated[str, typer.Option(help="技术支撑负责人: the same.")] = "",
    samples: Annotated[
        Path | None, typer.Option(help="Where its sample senders go; default: var/agencies/CODE.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make its topics, user, rights and quota, register it, write sample senders. To run it again is harmless."""
    from services.cli import agency_register

    layout = Layout.from_environment()
    facts = agency_register.shipped(layout).get(code, {})
    given = {"kind": kind, "parent": parent, "expected_since": expected_since}
    said: dict[str, Any] = {n: given.get(n) or facts[n] for n in agency_register.SAID if given.get(n) or facts.get(n)}
    offices = {"chief": chief, "business": business, "technical": technical}
    if any(offices.values()):
        said["roles"] = {role: office for role, office in offices.items() if office}
    if not (name or facts):
        raise StackFault(f"{code} is not in the register of 2017: give its name, credit agency add {code} --name NAME")
    added = onboard(layout, code, name or facts["name_zh"], item or (), said, samples)
    theirs = agency_register.registered(layout)
    added["notes"] = agency_register.notes(code, facts, str(said.get("parent", "")), theirs)
    typer.echo(json.dumps(added, ensure_ascii=False)) if as_json else _tell(code, added)


def _tell(code: str, added: Mapping[str, Any]) -> None:
    typer.echo(f"{code} may submit: {', '.join(added['items']) or 'nothing yet, no catalogue item names it'}")
    for what in (*PLACES, "samples"):
        typer.echo(f"  {what:<15} {added[what]}")
    for note in added["notes"]:
        typer.echo(f"note: {note}")
    if added["items"]:
        typer.echo(f"next: python {added['samples']}/send.py; credit receipts --agency {code}")


def onboard(
    layout: Layout,
    code: str,
    name: str,
    items: list[str] | tuple[str, ...],
    said: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """What it got; `said`: more of it, as `register_agency` takes it. Raises `StackFault` with ingestion's reason.

    Who may report persons is somebody's decision, never a default: PIPL 6, no more than the task needs.
    """
    from deploy.local import kafka_admin
    from services.cli import catalogue, commands, samples

    known = catalogue.read(layout)
    wanted = sorted(items or [it.code for it in known.values() if it.is_of(code) and not it.about_persons])
    unknown = sorted(set(wanted) - known.keys())
    if unknown:
        raise StackFault(f"there is no catalogue item {unknown[0]!r}: choose from {', '.join(sorted(known))}")
    password_file = kafka_admin.onboard_agency(code, layout)
    arguments = {"code": code, "name_zh": name, "items": wanted, **(said or {})}
    answer = commands.send(layout, "ingestion", "register_agency", code, arguments)
    if answer.outcome != "DONE":
        reasons = "; ".join(f"{fault['field']}: {fault['message_en']}" for fault in answer.faults)
        raise StackFault(f"ingestion refused the agency ({reasons}): correct the arguments and call again")
    target = folder or layout.var / "agencies" / code
    samples.write(layout, code, password_file, [known[each] for each in wanted], target)
    return {
        "agency": code,
        "items": wanted,
        "password_file": password_file,
        "submit_topic": f"credit.submit.{code}.v1",
        "receipts_topic": f"credit.receipts.{code}.v1",
        "task_topic": f"credit.sanctions.task.{code}.v1",
        "feedback_topic": f"credit.feedback.{code}.v1",
        "samples": str(target),
    }
