"""`credit reconcile`: does every service hold every record in the version that the one before it has passed on?"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from deploy.local.layout import SERVICES, Layout
from services.cli.progress import bars
from services.cli.reconcile_tree import DEPTH, Difference, Held, Node, Row, differences, differing, held, nodes, root
from services.cli.reconcile_views import PAIRS, WAITING, Pair, Stores

PREFIXES = 1000  # asked for in one call
SHOWN = 20
UNEQUAL = 1


def reconcile(
    settle: Annotated[float, typer.Option(help="Seconds after which what differed is looked at again.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare counts and hashes of all records across the services and name the differing ones; exit code 1 then.

    On a running system records are under way: what differs is looked at again, and only what still differs is told.
    """
    started = time.monotonic()
    with bars() as progress:
        compared = _compared(Stores(Layout.from_environment(), progress), settle)
    found = [one.as_json() for one in compared]
    equal = not any(one.differences for one in compared)
    if as_json:
        seconds = round(time.monotonic() - started, 1)
        typer.echo(json.dumps({"equal": equal, "seconds": seconds, "pairs": found}))
    else:
        _print(found)
    raise typer.Exit(0 if equal else UNEQUAL)


@dataclass
class Compared:
    """A pair, and what became of it."""

    pair: Pair
    roots: tuple[Node, Node]
    below: list[str]  # the prefixes that differ, of the level looked at last
    differences: list[Difference] = field(default_factory=list[Difference])

    def as_json(self) -> dict[str, Any]:
        """For programs; a version is a number, null where there is none, a list where there is more than one."""
        sides = self.pair.one, self.pair.other
        return {
            **{name: f"{side.service}.{side.view}" for name, side in zip(("one", "other"), sides, strict=True)},
            "records": [node.records for node in self.roots],
            "root": [f"{node.hash % (1 << 64):016x}" for node in self.roots],
            "leaves_differing": len(self.below),
            "differences": [
                {"record_id": d.record_id, "one": _version(d.one), "other": _version(d.other)} for d in self.differences
            ],
        }


def _compared(stores: Stores, settle: float) -> list[Compared]:
    """Level by level, below what differs; at the bottom record by record, and after a while once more."""
    heard = stores.ask("comparing", SERVICES, ["nodes"])
    found: list[Compared] = []
    for pair in PAIRS:
        one, other = _nodes(stores, heard, pair)
        found.append(Compared(pair, (root(one), root(other)), differing(one, other)))
    for compared, rows in _asked(stores, found, "nodes"):
        compared.below += differing(*_nodes(stores, rows, compared.pair))
    for compared in found:
        compared.below = [prefix for prefix in compared.below if len(prefix) == DEPTH]
    for compared, rows in _asked(stores, found, "pairs"):
        compared.differences += _differences(stores, rows, compared.pair)
    if any(compared.differences for compared in found):
        time.sleep(settle)
        _look_again(stores, found)
    return found


def _look_again(stores: Stores, found: Sequence[Compared]) -> None:
    """What is equal by now, or has moved on since, was only under way."""
    seen = {id(compared): set(compared.differences) for compared in found}
    again = [
        Compared(it.pair, it.roots, sorted({d.record_id[:DEPTH] for d in it.differences}))
        for it in found if it.differences
    ]  # fmt: skip
    for compared, rows in _asked(stores, again, "pairs"):
        compared.differences += _differences(stores, rows, compared.pair)
    still = {it.pair: set(it.differences) for it in again}
    for it in found:
        it.differences = [d for d in it.differences if d in seen[id(it)] & still.get(it.pair, set())]


def _asked(stores: Stores, found: Sequence[Compared], step: str) -> Iterator[tuple[Compared, dict[str, list[Row]]]]:
    """Ask below what differs, only those whose views differ; each pair gets only what lies below its own."""
    prefixes = sorted({prefix for compared in found for prefix in compared.below})
    for at in range(0, len(prefixes), PREFIXES):
        part = set(prefixes[at : at + PREFIXES])
        concerned = [compared for compared in found if part.intersection(compared.below)]
        services = {service for compared in concerned for service in compared.pair.services}
        heard = stores.ask(f"looking into {step}", sorted(services), [step, *sorted(part)])
        for compared in concerned:
            own = part.intersection(compared.below)
            yield compared, {s: [row for row in rows if _below(row, own)] for s, rows in heard.items()}


def _below(row: Row, prefixes: Collection[str]) -> bool:
    key: str = row.get("record_id") or row["prefix"]
    return key[:2] in prefixes or key[:DEPTH] in prefixes


def _nodes(stores: Stores, heard: Mapping[str, list[Row]], pair: Pair) -> tuple[dict[str, Node], dict[str, Node]]:
    one, other = (nodes(heard[side.service], side.view, stores.items(side)) for side in (pair.one, pair.other))
    return one, other


def _differences(stores: Stores, heard: Mapping[str, list[Row]], pair: Pair) -> list[Difference]:
    one, other = (held(heard[side.service], side.view, stores.items(side)) for side in (pair.one, pair.other))
    waiting: Held = held(heard[WAITING.service], WAITING.view, None) if pair.but_waiting else {}
    return differences(one, other, waiting)


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


def _version(versions: Collection[int]) -> int | list[int] | None:
    return [*versions] if len(versions) > 1 else next(iter(versions), None)


def _held(version: int | list[int] | None) -> str:
    if isinstance(version, list):
        return f"has it {len(version)} times, versions {', '.join(map(str, version))}"
    return "has it not" if version is None else f"has version {version}"
