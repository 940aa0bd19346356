"""A synthetic submission and what ought to come of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.cli.synthetic.organisations import Organisation

FIRST_DAY, LAST_DAY = date(2018, 7, 2), date(2019, 12, 31)  # of the decisions
KIND_NAMES = {"org": "法人及非法人组织", "sole_trader": "个体工商户"}
CODE_FIELDS = {"uscc": "SHXYM", "reg_no": "GSZC", "org_code": "ZZJG"}


@dataclass(frozen=True, slots=True)
class Draft:
    """One submission but for its number and moment. `expect` is ACCEPTED, DUPLICATE or REFUSED, `expect_code` why."""

    agency: str
    item: str
    action: str
    record_no: str
    subject_kind: str
    subject_code_kind: str
    subject_code: str
    subject_name: str
    decided_on: date
    payload: dict[str, Any]
    expect: str = "ACCEPTED"
    expect_code: str = ""


def report(
    agency: str, item: str, record_no: str, of: Organisation, on: date, payload: dict[str, Any], named_by: str = "uscc"
) -> Draft:
    """The first version of a record about an organisation."""
    code = of.code(named_by)
    return Draft(agency, item, "report", record_no, of.kind, named_by, code, of.name, on, payload)


def with_payload(draft: Draft, **changes: Any) -> Draft:
    """The same with other values in the payload."""
    return replace(draft, payload=draft.payload | changes)


def refused(draft: Draft, code: str) -> Draft:
    """The same, expected to be refused for this."""
    return replace(draft, expect="REFUSED", expect_code=code)


def counterparty(prefix: str, of: Organisation, named_by: str) -> dict[str, Any]:
    """The fields of the 2018 field sets that say whom a decision is about (行政相对人)."""
    other: dict[str, Any] = dict.fromkeys(f"{prefix}_XDR_{each}" for each in ("SWDJ", "SYDW", "SHZZ"))
    codes = {f"{prefix}_XDR_{mark}": of.code(k) if k == named_by else None for k, mark in CODE_FIELDS.items()}
    named = {f"{prefix}_XDR_MC": of.name, f"{prefix}_XDR_LB": KIND_NAMES[of.kind]}
    return named | codes | other | {f"{prefix}_FRDB": of.representative if of.kind == "org" else None}
