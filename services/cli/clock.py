"""`credit clock ID`: the legal clock of a record or a submission, read from the topics as an outsider reads them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from deploy.local.faults import StackFault
from deploy.local.layout import Layout
from services.kernel import legal_clock
from services.kernel.legal_clock import CHINA, Clock, Hop, Moments

RECORD_ID = re.compile(r"[0-9a-f]{32}")
ROAD = ("credit.submit.", "credit.receipts.", "credit.ingestion.record.", "credit.identity.record.")
PUBLIC = "credit.disclosure.public-change."
RECEIPT = ("outcome", "received_at", "answered_at", "due_on")
RECORD = ("record_id", "version", "disclosure", "accepted_at")
Found = dict[str, Any]
Told = dict[tuple[str, str], Found]  # by agency and submission id


def clock(
    named: Annotated[str, typer.Argument(help="A submission id, or a record id (32 hexadecimal digits).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a version.")] = False,
) -> None:
    """Where a record was when, what fell due there, and who was late.

    One clock for each version. Reads the topics from their beginning, so it takes a while on a full road.
    """
    now = time.time_ns() // 1_000_000
    for found in follow(Layout.from_environment(), named):
        face = legal_clock.read(moments(found), now)
        typer.echo(json.dumps(plain(found, face), ensure_ascii=False) if as_json else _text(found, face))


def follow(layout: Layout, named: str) -> list[Found]:
    """What the topics tell of each version (or of a submission that made none); raises `StackFault` for nothing."""
    from services.cli.outsider import Reader, Registry

    registry = Registry(layout)
    marks = (bytes.fromhex(named),) if RECORD_ID.fullmatch(named) else ()
    told: Told = {}
    with Reader(layout) as reader:
        topics = [topic for prefix in ROAD for topic in reader.topics(prefix)]
        for message in _holding(reader.read(topics), (*marks, named.encode())):
            note(told, message.topic(), message.timestamp()[1], registry.decode(message.value()), registry.decode)
        known = [found for found in told.values() if named in (found["submission_id"], _hex(found))]
        ids = tuple(found["record_id"] for found in known if "record_id" in found)
        for message in _holding(reader.read(reader.topics(PUBLIC)), ids) if ids else ():
            note_shown(known, registry.decode(message.value()))
    # What only holds the name by chance, or is of a receipt whose submission is gone, has no envelope to reckon by.
    known = [found for found in known if "envelope" in found]
    if not known:
        raise StackFault(f"no message names {named!r}: credit receipts --agency AGENCY")
    return sorted(known, key=lambda found: (found.get("version", 0), _ms(found["received_at"])))


def _holding(messages: Iterable[Any], marks: tuple[bytes, ...]) -> list[Any]:
    return [m for m in messages if any(mark in (m.value() or b"") or mark == m.key() for mark in marks)]


def note(told: Told, topic: str, at_ms: int, said: Found, decode: Callable[[bytes], Found]) -> None:
    """Take from one message of the road what it knows of its submission; what was said first stands."""
    parts = topic.split(".")
    agency = said["agency"] if parts[1] in ("ingestion", "identity") else parts[2]
    found = told.setdefault((agency, said["submission_id"]), {"submission_id": said["submission_id"], "agency": agency})
    if parts[1] == "submit":
        new = {"envelope": said, "received_at": at_ms}
    elif parts[1] == "receipts":
        new = {name: said[name] for name in RECEIPT} if said["outcome"] != "WAITING" else {}
    elif parts[1] == "ingestion":
        new = {"envelope": decode(said["submission"])} | {name: said[name] for name in RECORD}
    else:
        new = {"linked_at": said["linked_at"]}
    told[agency, said["submission_id"]] = {**new, **found}


def note_shown(known: Iterable[Found], change: Found) -> None:
    """Take from a line of the public's feed when a version came to be seen (or not to be seen any more)."""
    for found in known:
        if (found.get("record_id"), found.get("version")) == (change["record_id"], change["version"]):
            found.setdefault("visible_at", change["changed_at"])


def _hex(found: Found) -> str:
    return found["record_id"].hex() if "record_id" in found else ""


def moments(found: Found) -> Moments:
    """As the legal clock wants it. What is refused has no way to the public; what nobody has answered may have one."""
    envelope = found["envelope"]
    open_to = found.get("disclosure", "" if "outcome" in found else "public")
    shown = open_to == "public" and envelope["subject_kind"] != "person"
    return Moments(
        envelope["item"],
        found["agency"],
        envelope["action"],
        bool(envelope["source_unit"]),
        shown,
        envelope["decided_on"],
        _ms(envelope["produced_at"]),
        _ms(found.get("received_at")),
        _ms(found.get("accepted_at", found.get("answered_at"))),
        _ms(found.get("linked_at")),
        _ms(found.get("visible_at")),
    )


def plain(found: Found, face: Clock) -> dict[str, Any]:
    """The clock as JSON has it: days as YYYY-MM-DD, moments with China's offset."""
    due = found.get("due_on")
    return {
        "submission_id": found["submission_id"],
        "record_id": _hex(found) or None,
        "version": found.get("version"),
        "item": found["envelope"]["item"],
        "agency": found["agency"],
        "action": found["envelope"]["action"],
        "outcome": found.get("outcome"),
        "decided_on": str(found["envelope"]["decided_on"]),
        "receipt_due_on": str(due) if due else None,
        "hops": [_plain(hop) for hop in face.hops],
        "public": _plain(face.public) if face.public else None,
        "late": list(face.late),
        "charged": face.charged or None,
    }


def _plain(hop: Hop) -> dict[str, Any]:
    term = hop.term
    return {
        "hop": hop.name,
        "began_on": str(hop.began_on),
        "ended_at": _moment(hop.ended_at),
        "term": None if term is None else f"{term.days} {term.unit} days",
        "due_on": str(hop.due_on) if hop.due_on else None,
        "late": hop.late,
        "left_s": None if hop.left_ms is None else hop.left_ms // 1000,
        "rule": None if term is None else term.id,
        "source": None if term is None else f"{term.document} {term.article} ({term.verification})",
        "note": hop.note,
    }


def _text(found: Found, face: Clock) -> str:
    told = plain(found, face)
    head = ("submission_id", "item", "agency", "action", "outcome")
    lines = ["  ".join(str(told[name]) for name in head) + f"  decided {told['decided_on']}"]
    for hop in [*told["hops"], *([told["public"]] if told["public"] else [])]:
        verdict = hop["note"] or ("LATE" if hop["late"] else "in time" if hop["ended_at"] else "under way")
        ended, term = hop["ended_at"] or "not yet", hop["term"] or "-"
        lines.append(
            f"  {hop['hop']:<10} {hop['began_on']} > {ended:<26} {term:<16} {hop['due_on'] or '-':<11} {verdict}"
        )
    lines += [f"  by {hop['rule']}: {hop['source']}" for hop in _rules(told)]
    charged = f"  the public's term was broken by: {face.charged}"
    return "\n".join([*lines, charged] if face.charged else lines)


def _rules(told: dict[str, Any]) -> list[dict[str, Any]]:
    """A hop for each rule that was used."""
    hops = [*told["hops"], *([told["public"]] if told["public"] else [])]
    return list({hop["rule"]: hop for hop in hops if hop["rule"]}.values())


def _ms(value: Any) -> Any:
    """Milliseconds since 1970 of what Avro's reader gives for a moment."""
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return f"{(datetime.fromtimestamp(at_ms / 1000, UTC) + CHINA):%Y-%m-%dT%H:%M:%S}+08:00"
