"""`credit feeds fill`: how often the optional fields of each feed are filled, counted in the newest accepted records.

Counted here, from the topic, and not on the road: there a valid submission is never taken apart in Python.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout

RECORD = "credit.ingestion.record.v1"
Feed = tuple[str, str]  # agency, item
Sample = tuple[Feed, Mapping[str, Any]]  # whose record, and its payload


def fill(
    agency: Annotated[str, typer.Option(help="Only this agency's feeds.")] = "",
    last: Annotated[int, typer.Option(help="So many of the newest messages of each partition.", min=1)] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """How often the optional fields of each feed are filled, in the newest accepted records."""
    from services.cli import catalogue

    layout = Layout.from_environment()
    optional = {code: optional_of(item.definition) for code, item in catalogue.read(layout).items()}
    for told in rates(_newest(layout, agency, last), optional):
        typer.echo(json.dumps(told, ensure_ascii=False) if as_json else _text(told))


def optional_of(definition: Mapping[str, Any]) -> list[str]:
    """The fields of an item that a record need not have."""
    return [field["code"] for field in definition["fields"] if field["required"] != "mandatory"]


def rates(samples: Iterable[Sample], optional: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    """One object for each feed; a field that is null or empty is not filled."""
    records, filled = Counter[Feed](), defaultdict[Feed, Counter[str]](Counter)
    for feed, payload in samples:
        records[feed] += 1
        filled[feed].update(code for code in optional.get(feed[1], ()) if payload.get(code) not in (None, ""))
    for feed, count in sorted(records.items()):
        shares = {code: round(filled[feed][code] / count, 4) for code in optional.get(feed[1], ())}
        yield {"agency": feed[0], "item": feed[1], "records": count, "fill": shares}


def _newest(layout: Layout, agency: str, last: int) -> Iterator[Sample]:
    from services.cli.outsider import Reader, Registry

    registry = Registry(layout)
    with Reader(layout) as reader:
        for message in reader.last([RECORD], last):
            record = registry.decode(message.value() or b"")
            if agency in ("", record["agency"]) and record["action"] != "withdraw":
                yield (record["agency"], record["item"]), registry.decode(record["submission"])["payload"]


def _text(told: Mapping[str, Any]) -> str:
    head = f"{told['agency']}  {told['item']}  {told['records']} records"
    return "\n".join([head, *(f"  {share:>6.1%}  {code}" for code, share in told["fill"].items())])
