"""`credit reconcile`: does every service hold every record in the version that the one before it has passed on?"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import typer

from deploy.local.layout import Layout
from services.cli import programs
from services.cli.progress import track
from services.cli.reconcile_tree import Difference, Node, differences, differing, tree

PREFIXES = 1000  # asked for in one call
SHOWN = 20
UNEQUAL = 1


class Side(NamedTuple):
    """A view of a service's records; `followed_by`: only those of the items that this service follows."""

    service: str
    view: str
    followed_by: str = ""


class Pair(NamedTuple):
    """Two views that must be equal; `but_waiting`: except for what waits in identity's review."""

    one: Side
    other: Side
    but_waiting: bool


PAIRS = (
    Pair(Side("ingestion", "records"), Side("identity", "known"), False),
    Pair(Side("identity", "linked"), Side("disclosure", "standing"), False),
    Pair(Side("ingestion", "to_show"), Side("disclosure", "shown"), True),
    Pair(Side("ingestion", "records", "sanctions"), Side("sanctions", "listings"), True),
    Pair(Side("ingestion", "records", "national_sync"), Side("national_sync", "exchanges"), True),
)


def reconcile(
    settle: Annotated[float, typer.Option(help="Seconds after which what differed is looked at again.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare counts and hashes of all records across the services and name the differing ones; exit code 1 then.

    On a running system records are under way: what differs is looked at again, and only what still differs is told.
    """
    layout, started = Layout.from_environment(), time.monotonic()
    found = [_compared(layout, pair, settle) for pair in track(PAIRS, "comparing", quiet=as_json)]
    equal = not any(one["differences"] for one in found)
    if as_json:
        seconds = round(time.monotonic() - started, 1)
        typer.echo(json.dumps({"equal": equal, "seconds": seconds, "pairs": found}))
    else:
        _print(found)
    raise typer.Exit(0 if equal else UNEQUAL)


def _compared(layout: Layout, pair: Pair, settle: float) -> dict[str, Any]:
    one, other = _tree(layout, pair.one), _tree(layout, pair.other)
    leaves = differing(one, other)
    left = _differences(layout, pair, leaves)
    if left:
        time.sleep(settle)
        again = set(_differences(layout, pair, sorted({d.record_id[:4] for d in left})))
        left = [difference for difference in left if difference in again]
    return {
        "one": f"{pair.one.service}.{pair.one.view}",
        "other": f"{pair.other.service}.{pair.other.view}",
        "records": [one[""].records, other[""].records],
        "root": [f"{side[''].hash % (1 << 64):016x}" for side in (one, other)],
        "leaves_differing": len(leaves),
        "differences": [difference._asdict() for difference in left],
    }


def _tree(layout: Layout, side: Side) -> dict[str, Node]:
    return tree(programs.lines(layout, side.service, ["digest", side.view, *_items(layout, side)]))


def _items(layout: Layout, side: Side) -> list[str]:
    if not side.followed_by:
        return []
    (said,) = programs.lines(layout, side.followed_by, ["digest", "items"])
    return [f"items={','.join(said['items'])}"]


def _differences(layout: Layout, pair: Pair, leaves: Sequence[str]) -> list[Difference]:
    found: list[Difference] = []
    for at in range(0, len(leaves), PREFIXES):
        asked = leaves[at : at + PREFIXES]
        waiting = _pairs(layout, Side("identity", "waiting"), asked) if pair.but_waiting else {}
        one, other = _pairs(layout, pair.one, asked), _pairs(layout, pair.other, asked)
        found += differences(one, other, frozenset(waiting))
    return found


def _pairs(layout: Layout, side: Side, leaves: Sequence[str]) -> dict[str, int]:
    rows = programs.lines(layout, side.service, ["digest", side.view, *_items(layout, side), *leaves])
    return {row["record_id"]: row["version"] for row in rows}


def _print(found: Sequence[dict[str, Any]]) -> None:
    for pair in found:
        counts = " and ".join(f"{count:,}" for count in pair["records"])
        verdict = f"{len(pair['differences'])} DIFFER" if pair["differences"] else "equal"
        typer.echo(f"{pair['one']:<20} {pair['other']:<24} {counts} records: {verdict}")
        for row in pair["differences"][:SHOWN]:
            held = [f"{name} {_held(row[side])}" for side, name in (("one", pair["one"]), ("other", pair["other"]))]
            typer.echo(f"    record {row['record_id']}: {', '.join(held)}")
        if len(pair["differences"]) > SHOWN:
            typer.echo(f"    … and {len(pair['differences']) - SHOWN} more: --json names all")


def _held(version: int | None) -> str:
    return "has it not" if version is None else f"has version {version}"
