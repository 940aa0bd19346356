"""The named formats a catalogue field may have."""

from __future__ import annotations

import re
from collections.abc import Callable

from services.ingestion.domain import identifiers

FORMAT_RULES = {  # in English, in Chinese
    "uscc": ("18 characters, check digit right (GB 32100-2015)", "18位统一社会信用代码，校验位正确（GB 32100-2015）"),
    "capital": ("amount with thousands grouped rightly and unit", "金额（千分位分隔正确）及单位"),
    "old_code": ("a code of the kind that old_kind names, check digit right", "与原代码类别相符且校验位正确的代码"),
    "commitment_no": ("6-digit region, 8-digit date, 6-digit number", "6位行政区划、8位日期、6位流水号"),
    "decimal": ("unit 万元, at most 12 digits before and 6 after the point", "单位万元，小数点前至多12位、后至多6位"),
}
EXAMPLES = {
    "uscc": "91420100MA4KLM0N5H",
    "capital": "2,000(万元)",
    "old_code": "MA4KLM0N5",
    "commitment_no": "42010020170928000001",
    "string": "演示内容",
    "date": "2017-03-29",
    "decimal": "0.2",
    "int": "2017",
    "money_fen": "200000",
    "bool": "true",
}
COMPANIONS = {"old_code": "old_kind"}  # the field whose value says how the format is to be read

COMMITMENT_NO = re.compile(r"42\d{4}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{6}", re.ASCII)
TAX_NO = re.compile(r"\d{6}[0-9A-Z]{9}|[0-9X]{17,20}", re.ASCII)


def fits(name: str, value: str, companion: object) -> bool:
    """Whether a value has the format."""
    return CHECKS[name](value, companion)


def place(name: str, value: str) -> int | None:
    """Where a value breaks its format, counted from 1, where that can be said of one character."""
    if name != "uscc":
        return None
    return next((identifiers.place(name, value, found) for found in identifiers.judge(name, value).faults), None)


def _old_code(value: str, kind: object) -> bool:
    if kind == "tax_no":
        return TAX_NO.fullmatch(value) is not None
    return kind in ("org_code", "reg_no") and not identifiers.judge(str(kind), value).faults


CHECKS: dict[str, Callable[[str, object], bool]] = {
    "uscc": lambda value, _: not identifiers.judge("uscc", value).faults,
    "capital": lambda value, _: identifiers.is_capital(value),
    "old_code": _old_code,
    "commitment_no": lambda value, _: COMMITMENT_NO.fullmatch(value) is not None,
}
