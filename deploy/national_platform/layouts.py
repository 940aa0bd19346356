"""What a record must look like to be taken."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

AMOUNT = re.compile(r"\d{1,12}(\.\d{1,6})?")
CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")


class Refusal(NamedTuple):
    """Why a record is not taken."""

    code: str
    text: str


class Layout(NamedTuple):
    """The demands of one data set."""

    mandatory: list[str]
    one_of: list[str]
    dates: list[str]
    codes: list[str]
    amounts: list[str]

    def refusal(self, fields: Mapping[str, str]) -> Refusal | None:
        """The first thing that is wrong, or None."""
        missing = [name for name in self.mandatory if not fields.get(name)]
        if missing:
            return Refusal("FIELD_MISSING", "缺少必填项：" + "、".join(missing))
        if self.one_of and not any(fields.get(name) for name in self.one_of):
            return Refusal("CODE_MISSING", "缺少主体代码")
        wrong = [n for n in self.dates if n in fields and not _is_date(fields[n])]
        wrong += [n for n in self.codes if n in fields and not CODE.fullmatch(fields[n])]
        wrong += [n for n in self.amounts if n in fields and not AMOUNT.fullmatch(fields[n])]
        return Refusal("FIELD_FORMAT", "格式不符：" + "、".join(wrong)) if wrong else None


@lru_cache(1 << 14)  # the days of a lifetime, over and over: parsing them was a third of all the simulator did
def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y/%m/%d")  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return False
    return True


def load() -> dict[str, Layout]:
    """The layouts by catalogue item."""
    tables = tomllib.loads(Path(__file__).with_name("layouts.toml").read_text(encoding="utf-8"))
    return {item: Layout(**table) for item, table in tables.items()}
