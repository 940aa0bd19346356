"""`credit receipts`: what became of an agency's submissions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from deploy.local.layout import Layout


def receipts(
    agency: Annotated[str, typer.Option(help="Whose receipts, e.g. 420000-gsj.")],
    outcome: Annotated[str, typer.Option(help="Only ACCEPTED, DUPLICATE, REFUSED or WAITING.")] = "",
    run: Annotated[str, typer.Option(help="Only submissions whose id begins so, as credit import named them.")] = "",
    last: Annotated[int, typer.Option("--last", "-n", help="How many of the newest to show; 0: only the sums.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, all of them.")] = False,
) -> None:
    """Read an agency's receipts with its own credentials, from the beginning."""
    found = [r for r in read(Layout.from_environment(), agency) if matches(r, outcome, run)]
    if as_json:
        for receipt in found:
            typer.echo(json.dumps(receipt, ensure_ascii=False, default=str))
        return
    for receipt in found[len(found) - last :] if last else ():
        _show(receipt)
    counted = Counter(receipt["outcome"] for receipt in found)
    typer.echo(", ".join(f"{name} {count}" for name, count in sorted(counted.items())) or "no receipts yet")


def read(layout: Layout, agency: str) -> Iterator[dict[str, Any]]:
    """Receipts in the order of each partition; a repeat of the same event (same ce_id) is left out."""
    from services.cli.outsider import Reader, Registry

    registry, seen = Registry(layout), set[bytes]()
    with Reader(layout, agency) as reader:
        for message in reader.read([f"credit.receipts.{agency}.v1"]):
            identity = dict(_headers(message)).get("ce_id", b"")
            if identity not in seen:
                seen.add(identity)
                yield registry.decode(message.value() or b"")


def _headers(message: Any) -> Iterable[tuple[str, bytes]]:
    return message.headers() or ()


def matches(receipt: dict[str, Any], outcome: str, run: str) -> bool:
    """Whether it is one of those asked for."""
    return outcome in ("", receipt["outcome"]) and receipt["submission_id"].startswith(run)


def _show(receipt: dict[str, Any]) -> None:
    typer.echo(f"{receipt['outcome']:<10}{receipt['submission_id']:<28} {receipt['item']:<26}{receipt['record_no']}")
    for fault in receipt["faults"]:
        typer.echo(f"          {fault['code']} {fault['field']}: {fault['message_zh']} / {fault['message_en']}")
        for label, name in (("received", "received"), ("right", "example"), ("clause", "clause")):
            if fault.get(name):  # the first edition of the contract tells nothing of what was received
                typer.echo(f"            {label:<9} {fault[name]}")
