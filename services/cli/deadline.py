"""`credit deadline START`: the last day of a legal term, with the way there. Needs nothing that runs."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from services.kernel import working_days
from services.kernel.working_days import CalendarEnded, Step

LONGEST = 3660  # days: no term of the law is longer, and a calendar has an end
NOTE = "calendar days are counted as written; whether one that ends on a day off moves to the next working day is open"


class Unit(StrEnum):
    """日 as written, or 工作日."""

    WORKING = "working"
    CALENDAR = "calendar"


def deadline(
    start: Annotated[
        datetime, typer.Argument(help="The day the clock starts; it is not counted.", formats=["%Y-%m-%d"])
    ],
    days: Annotated[int, typer.Option(help="How many days the term has.", min=0, max=LONGEST)],
    unit: Annotated[Unit, typer.Option(help="Days as they come (日), or working days (工作日).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """The last day of a term, and every day on the way: counted, or skipped and why.

    Refused beyond the table of working days: the State Council publishes a year in the autumn before.
    """
    found = reckoned(start.date(), days, unit)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(f"{found['due_on']}  {days} {unit} days after {found['start']}")
    for step in found["way"]:
        typer.echo(f"  {step['day']} {step['number'] or '-':>4}  {step['why']}")
    for notice in found["notices"]:
        typer.echo(f"by {notice['document']} ({notice['verification']})")
    if found["note"]:
        typer.echo(f"note: {found['note']}")


def reckoned(start: date, days: int, unit: Unit) -> dict[str, Any]:
    """The answer as plain values; raises `StackFault` where the table of working days has ended."""
    way = _working(start, days) if unit is Unit.WORKING else _calendar(start, days)
    end = way[-1].day if way else start
    years = _years(start, end) if unit is Unit.WORKING else set[int]()
    return {
        "start": start.isoformat(),
        "days": days,
        "unit": str(unit),
        "due_on": end.isoformat(),
        "way": [step._asdict() | {"day": step.day.isoformat()} for step in way],
        "notices": [notice._asdict() for notice in working_days.notices() if notice.year in years],
        "note": "" if unit is Unit.WORKING else NOTE,
    }


def _years(start: date, end: date) -> set[int]:
    """Whose notices may speak of these days: what is moved in late December is moved by the next year's notice."""
    return {start.year, end.year, (end + timedelta(31)).year if end.month == 12 else end.year}


def _working(start: date, days: int) -> tuple[Step, ...]:
    try:
        return working_days.table().way(start, days)
    except CalendarEnded as ended:
        remedy = "put the notice of that year into the table (deploy/runbooks/calendar-ending.md); nothing is guessed"
        raise StackFault(f"{ended}: {remedy}") from None


def _calendar(start: date, days: int) -> tuple[Step, ...]:
    try:
        every = [start + timedelta(n) for n in range(1, days + 1)]
    except OverflowError:
        raise StackFault(f"{days} days after {start} lie beyond the year 9999: give an earlier day") from None
    return tuple(Step(day, n, f"{day:%A}") for n, day in enumerate(every, 1))
