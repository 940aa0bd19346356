"""`credit trace SUBMISSION_ID`: each hop of a submission, with topic, offset and milliseconds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout

ROAD = ("credit.submit.", "credit.ingestion.record.", "credit.receipts.", "credit.identity.record.")
BEHIND = ("credit.disclosure.", "credit.sanctions.task.", "credit.national-sync.exchange.")


class Hop(NamedTuple):
    """One message about the submission, or about the record that it made; `after_ms` counts from the first."""

    topic: str
    partition: int
    offset: int
    after_ms: int
    what: str


def trace(
    submission_id: Annotated[str, typer.Argument(help="As the receipt names it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Follow a submission hop by hop. Reads the topics from their beginning, so it takes a while on a full road."""
    hops = follow(Layout.from_environment(), submission_id)
    if as_json:
        typer.echo(json.dumps([hop._asdict() for hop in hops], ensure_ascii=False))
        return
    typer.echo(f"{'ms':>8}  {'topic':<44}{'partition':>9}{'offset':>9}  what")
    for hop in hops:
        typer.echo(f"{hop.after_ms:>8}  {hop.topic:<44}{hop.partition:>9}{hop.offset:>9}  {hop.what}")


def follow(layout: Layout, submission_id: str) -> list[Hop]:
    """The hops in the order of time; raises `StackFault` if no message names the submission."""
    from services.cli.outsider import Reader, Registry

    registry = Registry(layout)
    with Reader(layout) as reader:
        named = _holding(reader.read(_under(reader, ROAD)), (submission_id.encode(),))
        if not named:
            raise StackFault(f"no message names submission {submission_id!r}: credit receipts --agency AGENCY")
        made = [_record_id(registry, m) for m in named if m.topic() == "credit.ingestion.record.v1"]
        marks = tuple(mark for record_id in made for mark in (record_id, record_id.hex().encode()))
        behind = _holding(reader.read(_under(reader, BEHIND)), marks) if marks else []
    found = sorted([*named, *behind], key=lambda message: message.timestamp()[1])
    begin = found[0].timestamp()[1]
    return [_hop(registry, message, begin) for message in found]


def _under(reader: Any, prefixes: Iterable[str]) -> list[str]:
    known = [topic for prefix in prefixes for topic in reader.topics(prefix)]
    return [topic for topic in known if not topic.endswith((".command.v1", ".outcome.v1"))]


def _holding(messages: Iterable[Any], marks: tuple[bytes, ...]) -> list[Any]:
    return [message for message in messages if any(mark in (message.value() or b"") for mark in marks)]


def _record_id(registry: Any, message: Any) -> bytes:
    return registry.decode(message.value())["record_id"]


def _hop(registry: Any, message: Any, begin: int) -> Hop:
    record = registry.decode(message.value())
    words = [str(record[name]) for name in ("action", "outcome", "change", "state", "link_rule") if record.get(name)]
    place = message.topic(), message.partition(), message.offset()
    return Hop(*place, message.timestamp()[1] - begin, " ".join(words))
