"""Linked records as identity publishes them: submission by the item's own schema, body untouched."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any, cast

import fastavro

from services.chassis.message import Message

AVRO = Path(__file__).parents[2] / "avro"
AT_MS = 1_511_503_200_000  # 2017-11-24 14:00 in Beijing
DAY = date(2017, 11, 24)
FILL: dict[str, Any] = {"string": "演示", "long": 1, "int": 1, "boolean": True}


def item_schema(item: str) -> dict[str, Any]:
    """The newest edition of an item's schema."""
    editions = sorted((AVRO / "items" / item).glob("*.avsc"), key=lambda p: int(p.stem))
    schema: dict[str, Any] = json.loads(editions[-1].read_text(encoding="utf-8"))
    return schema


def submission(item: str, schema_id: int, payload: dict[str, Any] | None = None, **envelope: Any) -> bytes:
    """A framed submission; fields that are not named are filled with something of the right type."""
    schema = item_schema(item)
    fields = {field["name"]: field["type"] for field in schema["fields"]}
    record = {
        "submission_id": "s-1",
        "item": item,
        "agency": "420000-hbt",
        "source_unit": "",
        "action": "report",
        "record_no": "r-1",
        "subject_kind": "org",
        "subject_code_kind": "uscc",
        "subject_code": "91420100MA4KLM0N5H",
        "subject_name": "演示武汉甲贸易有限公司",
        "decided_on": DAY,
        "produced_at": AT_MS,
        **envelope,
        "payload": {f["name"]: _fill(f["type"]) for f in fields["payload"]["fields"]} | (payload or {}),
    }
    return _framed(schema, schema_id, record)


def _fill(kind: Any) -> Any:
    if isinstance(kind, list):
        return None
    if isinstance(kind, dict):
        named = cast(dict[str, str], kind)
        return DAY if named.get("logicalType") == "date" else FILL[named["type"]]
    return FILL[kind]


def _framed(schema: dict[str, Any], schema_id: int, record: dict[str, Any]) -> bytes:
    return b"\0" + schema_id.to_bytes(4, "big") + _body(schema, record)


def _body(schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    out, avro = io.BytesIO(), cast(Any, fastavro)
    avro.schemaless_writer(out, avro.parse_schema(schema), record)
    return out.getvalue()


def linked(
    item: str,
    submitted: bytes,
    version: int = 1,
    action: str = "report",
    record_id: bytes = b"R" * 16,
    subject_id: bytes = b"S" * 16,
) -> bytes:
    """A framed RecordLinked: subject_id, link_rule, linked_at, then the untouched body of RecordAccepted."""
    accepted = json.loads((AVRO / "credit.ingestion.record.v1" / "1.avsc").read_text(encoding="utf-8"))
    body = _body(
        accepted,
        {
            "record_id": record_id,
            "version": version,
            "item": item,
            "item_version": 1,
            "item_class": "negative",
            "disclosure": "public",
            "action": action,
            "agency": "420000-hbt",
            "submission_id": "s-1",
            "accepted_at": AT_MS,
            "due_on": DAY,
            "submission": submitted,
        },
    )
    head = {
        "type": "record",
        "name": "Head",
        "fields": [
            {"name": "subject_id", "type": {"type": "fixed", "name": "Id16", "size": 16}},
            {"name": "link_rule", "type": "string"},
            {"name": "linked_at", "type": "long"},
        ],
    }
    prefix = _framed(head, 99, {"subject_id": subject_id, "link_rule": "USCC", "linked_at": AT_MS})
    return prefix + body


def message(topic: str, key: bytes, value: bytes | None) -> Message:
    """A message at the start of a lane."""
    return Message(topic, 0, 0, key, value, (), AT_MS)
