"""`credit feeds twice`: decisions that stand under more than one record number, whichever files or doors they came by.

A file tells of its own rows (`BUSINESS_KEY_TWICE`). What came by two files, or by topic and gRPC, under two numbers is
two records to ingestion: it is found here, from the topic of accepted records, and not on the road, where it would cost
every penalty one more key across lanes. A decision is known by the fields that its item names as `business_key`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple

import typer

from deploy.local.layout import Layout
from services.kernel import document_number

RECORD = "credit.ingestion.record.v1"
Keys = Mapping[str, Sequence[str]]  # item -> the fields of its business key


class Seen(NamedTuple):
    """A version of a record: whose, under which number, and which decision it says; "" once it is withdrawn."""

    record_id: bytes
    agency: str
    item: str
    record_no: str
    decision: str


def twice(
    agency: Annotated[str, typer.Option(help="Only this agency's feeds.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Decisions that stand under more than one record number, by feed; read from all accepted records there are."""
    from services.cli import catalogue

    layout = Layout.from_environment()
    known = {code: item.definition.get("business_key", ()) for code, item in catalogue.read(layout).items()}
    for told in found(_accepted(layout, {code: fields for code, fields in known.items() if fields})):
        if agency in ("", told["agency"]):
            typer.echo(json.dumps(told, ensure_ascii=False) if as_json else _text(told))


def found(seen: Iterable[Seen]) -> Iterator[dict[str, Any]]:
    """One object for each feed; `seen` has the versions of each record in their order."""
    standing = {one.record_id: one for one in seen}
    together = defaultdict[tuple[str, str], list[Seen]](list)
    feeds = defaultdict[tuple[str, str], list[Seen]](list)
    for one in standing.values():
        if one.decision:
            together[one.item, one.decision].append(one)
            feeds[one.agency, one.item].append(one)
    for (agency, item), records in sorted(feeds.items()):
        groups = {one.decision: together[item, one.decision] for one in records}
        again = [sorted((o.agency, o.record_no) for o in group) for group in groups.values() if len(group) > 1]
        count = sum(len(groups[one.decision]) > 1 for one in records)
        yield {
            "agency": agency,
            "item": item,
            "records": len(records),
            "twice": count,
            "rate": round(count / len(records), 4),
            "decisions": [[{"agency": who, "record_no": number} for who, number in group] for group in sorted(again)],
        }


def decision(fields: Sequence[str], submission: Mapping[str, Any]) -> str:
    """Equal for one decision however its number is written; "" where a part of it is missing. A hash names nobody."""
    parts = [document_number.normalise(str(_value(submission, name) or "")) for name in fields]
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest() if all(parts) else ""


def _value(submission: Mapping[str, Any], name: str) -> Any:
    return submission[name] if name == "subject_code" else submission["payload"].get(name)


def _accepted(layout: Layout, keys: Keys) -> Iterator[Seen]:
    from services.cli.outsider import Reader, Registry

    registry = Registry(layout)
    with Reader(layout) as reader:
        for message in reader.read([RECORD]):
            record = registry.decode(message.value() or b"")
            if record["item"] in keys:
                submission = registry.decode(record["submission"])
                said = "" if record["action"] == "withdraw" else decision(keys[record["item"]], submission)
                yield Seen(record["record_id"], record["agency"], record["item"], submission["record_no"], said)


def _text(told: Mapping[str, Any]) -> str:
    head = f"{told['agency']}  {told['item']}  {told['records']} records, {told['twice']} of them ({told['rate']:.1%})"
    lines = ["  " + " = ".join(f"{one['agency']} {one['record_no']}" for one in group) for group in told["decisions"]]
    return "\n".join([f"{head} say a decision that another record says too", *lines])
