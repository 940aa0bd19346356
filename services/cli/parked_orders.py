"""Sends an operator's order to a service, thousands of places in a few commands, and watches it being carried out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.cli import commands, programs
from services.cli.parked_choice import Row, parsed
from services.cli.progress import bars

PLACES = 2000  # a command, about 120 kB
KEY = "parked"  # of all orders: they are decided in the order they were given
LOOK_EVERY_S = 0.5
DEADLINE_S = 60.0  # without anything taken up: the lanes' owner is not there


def carry_out(
    layout: Layout, service: str, kind: str, rows: Sequence[Row], places: Sequence[str], reason: str
) -> dict[str, Any]:
    """Give the order for these places and wait until none of `rows` waits any more; raises `StackFault`."""
    started = time.monotonic()
    cut = [places[at : at + PLACES] for at in range(0, len(places), PLACES)]
    wanted = [{"places": [parsed(place) for place in part], "reason": reason} for part in cut]
    for answer in commands.send_many(layout, service, f"{kind}_parked", KEY, wanted) if wanted else ():
        if answer.outcome != "DONE":
            raise StackFault(f"{answer.faults[0]['message_en']}: credit parked list {service}")
    again = _watch(layout, service, kind, rows)
    return {"parked_again": again, "seconds": round(time.monotonic() - started, 1)}


def _watch(layout: Layout, service: str, kind: str, rows: Sequence[Row]) -> int:
    """Until the owner of the lanes has taken up everything; how many of them are parked again."""
    with bars() as progress:
        bar = progress.add_task(f"{service}: {kind}", total=len(rows))
        for waiting, again in _states(layout, service, rows):
            progress.update(bar, completed=len(rows) - waiting)
            if not waiting:
                return again
    raise StackFault(f"{service} took nothing up for {DEADLINE_S:.0f} s: credit status; credit logs {service}")


def _states(layout: Layout, service: str, rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """How many of these still wait for their lane's owner, and how many were parked anew, until nothing moves."""
    before = {row["place"]: row["parked_at"] for row in rows}
    last, since = len(rows) + 1, time.monotonic()
    while time.monotonic() - since < DEADLINE_S:
        now = [row for row in programs.lines(layout, service, ["parked"]) if row["place"] in before]
        waiting = sum(row["parked_at"] == before[row["place"]] for row in now)
        yield waiting, len(now) - waiting
        if waiting < last:
            last, since = waiting, time.monotonic()
        time.sleep(LOOK_EVERY_S)
