"""A right record of a catalogue item, made from its definition alone: what a sender sends first. All is invented."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from services.cli.synthetic import codes
from services.cli.synthetic.chance import source
from services.kernel import resident_id, uscc

DAY = "2017-03-29"
NAME = "演示样例有限公司"
PERSON, PERSON_NAME = "person", "演示某"
PREFIX = {"org": "91", "sole_trader": "92"}  # 企业, 个体工商户
CONDITION = re.compile(r"conditional:(\w+)(?:([=~])(.+))?")
Values = Mapping[str, Any]


def sample(definition: Values, agency: str) -> dict[str, Any]:
    """A submission as JSON holds it (dates as texts), without submission_id and produced_at, which its sender makes."""
    kind = next((each for each in definition["subject_kinds"] if each in PREFIX), PERSON)
    envelope: dict[str, Any] = {
        "item": definition["code"],
        "agency": agency,
        "source_unit": "",
        "action": "report",
        "record_no": f"sample-{agency}-0001",
        "subject_kind": kind,
        "subject_code_kind": "resident_id" if kind == PERSON else "uscc",
        "subject_code": _number(agency) if kind == PERSON else _code(agency, kind),
        "subject_name": PERSON_NAME if kind == PERSON else NAME,
        "decided_on": DAY,
    }
    payload: dict[str, Any] = {}
    for field in definition["fields"]:
        wanted = _required(field, envelope | payload)
        payload[field["code"]] = _value(field, envelope) if wanted else None
    return envelope | {"payload": payload}


def _code(agency: str, kind: str) -> str:
    return uscc.complete(
        f"{PREFIX[kind]}{agency[:6]}{codes.org_code(codes.ORGANISATION, source(0, f'sample {agency}'))}"
    )


def _number(agency: str) -> str:
    """Of nobody who lives: born on 8 August 1888."""
    body = f"42010618880808{source(0, f'sample {agency}').randrange(1000):03d}"
    return body + resident_id.check_character(body)


def _required(field: Values, values: Values) -> bool:
    """Mandatory, or demanded by what the fields before it say; of a later one it cannot be known, so it is filled."""
    found = CONDITION.fullmatch(field["required"])
    if found is None:
        return field["required"] == "mandatory"
    name, operator, listed = found.groups()
    if name not in values:
        return True
    value = values[name] or ""
    if operator == "=":
        return value in listed.split("|")
    return bool(value) if operator is None else any(part in value for part in listed.split("|"))


def _value(field: Values, envelope: Values) -> Any:
    if same := envelope.get(field.get("same_as", "")):
        return same
    if listed := field.get("code_list"):
        return listed[0].removesuffix("*")
    if form := field.get("format"):
        return _formatted(form, envelope["agency"])
    text = PERSON_NAME if field.get("sensitivity") == "person_name" else "演示内容"
    low, high = field.get("minimum", 0), field.get("maximum", 10**15)
    number = min(max(2017, low), high)
    by_type = {"date": DAY, "decimal": "0.2", "int": number, "money_fen": number, "bool": True}
    return by_type.get(field["type"], text[: field.get("max_length", len(text))])


def _formatted(form: str, agency: str) -> str:
    return {
        "uscc": codes.body_uscc(agency[:6], source(0, agency)),
        "capital": "2,000(万元)",
        "old_code": codes.org_code(codes.ORGANISATION, source(0, f"sample {agency}")),
        "commitment_no": f"{agency[:6]}20170329000001",
    }[form]
