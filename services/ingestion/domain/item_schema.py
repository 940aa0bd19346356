"""The Avro schema of a catalogue item: the fixed envelope, flat and first, then the typed payload."""

from __future__ import annotations

import json
from typing import Any

from services.ingestion.domain.definition import Field, Item

NAMESPACE = "cn.hubei.credit.item"
DATE = {"type": "int", "logicalType": "date"}
MOMENT = {"type": "long", "logicalType": "timestamp-millis"}
TYPES: dict[str, Any] = {
    "string": "string",
    "date": DATE,
    "money_fen": "long",
    "decimal": "string",
    "int": "long",
    "bool": "boolean",
}
ENVELOPE: tuple[tuple[str, Any, str], ...] = (
    ("submission_id", "string", "报送编号"),
    ("item", "string", "目录事项编码"),
    ("agency", "string", "报送单位"),
    ("source_unit", "string", "产生信息的下级单位"),
    ("action", "string", "report 报送, correct 更正, withdraw 撤回"),
    ("record_no", "string", "报送单位自己的记录编号"),
    ("subject_kind", "string", "org, sole_trader, person"),
    ("subject_code_kind", "string", "uscc, org_code, reg_no"),
    ("subject_code", "string", "主体代码"),
    ("subject_name", "string", "主体名称"),
    ("decided_on", DATE, "决定日期"),
    ("produced_at", MOMENT, "产生时间"),
)


def subject(code: str) -> str:
    """The registry subject of an item."""
    return f"{NAMESPACE}.{code}"


def schema_of(item: Item) -> dict[str, Any]:
    """The schema agencies publish with."""
    name = item.code.replace("-", "_").replace(".", "_")
    payload = {"type": "record", "name": "Payload", "doc": item.name_zh, "fields": [_field(f) for f in item.fields]}
    fields = [{"name": name, "type": kind, "doc": doc} for name, kind, doc in ENVELOPE]
    return {
        "type": "record",
        "name": "Submission",
        "namespace": f"{NAMESPACE}.{name}",
        "doc": f"{item.code} {item.version}",
        "fields": [*fields, {"name": "payload", "type": payload}],
    }


def _field(field: Field) -> dict[str, Any]:
    kind = TYPES[field.type]
    if field.required == "mandatory":
        return {"name": field.code, "type": kind, "doc": field.name_zh}
    return {"name": field.code, "type": ["null", kind], "default": None, "doc": field.name_zh}


def schema_text(item: Item) -> str:
    """The schema as its file and the registry hold it."""
    return json.dumps(schema_of(item), ensure_ascii=False, indent=1) + "\n"


def plain(schema: Any) -> Any:
    """The same schema without logical types: dates and times are read as numbers, so that none is out of range."""
    if isinstance(schema, dict):
        entries: dict[str, Any] = {k: plain(v) for k, v in schema.items() if k != "logicalType"}  # pyright: ignore[reportUnknownVariableType]
        return entries
    if isinstance(schema, list):
        return [plain(entry) for entry in schema]  # pyright: ignore[reportUnknownVariableType]
    return schema
