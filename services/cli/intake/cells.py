"""The text of a cell -> a value of a field's type; raises `CellProblem`, which names no value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from services.cli.intake.faults import CellProblem
from services.kernel import money

EMPTY = frozenset({"", "N/A"})  # how the public register writes a missing value
DAY = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?(?:[ T].*)?", re.ASCII)
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
AMOUNT = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(万元|元|分)?", re.ASCII)
WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
UNITS = {"万元": "wan", "元": "yuan", "分": "fen"}
UNIT_NAMES = {unit: name for name, unit in UNITS.items()}
TRUTHS = {"是": True, "否": False, "true": True, "false": False, "1": True, "0": False}


def filled(text: str | None) -> str:
    """The text without outer white space; nothing for what stands for nothing."""
    stripped = (text or "").strip()
    return "" if stripped in EMPTY else stripped


def narrow(text: str) -> str:
    """Full-width digits and signs as plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def day(text: str) -> date:
    """2017-03-29, 2017/3/29, 2017.3.29, 20170329, 2017年3月29日, each also with a time behind it."""
    plain = narrow(text)
    found = DAY.fullmatch(plain) or COMPACT.fullmatch(plain)
    if found is None:
        raise CellProblem("CELL_DATE")
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise CellProblem("CELL_DATE") from None


def whole(text: str) -> int:
    """A whole number."""
    plain = narrow(text).removesuffix(".0")
    if not WHOLE.fullmatch(plain):
        raise CellProblem("CELL_NUMBER")
    return int(plain)


def truth(text: str) -> bool:
    """是 or 否."""
    found = TRUTHS.get(narrow(text).lower())
    if found is None:
        raise CellProblem("CELL_TRUTH")
    return found


def fen(text: str, unit: str) -> int:
    """An amount as whole 分, exactly; a unit written in the cell must be the column's."""
    found = AMOUNT.fullmatch(narrow(text).replace(" ", ""))
    if found is None:
        raise CellProblem("CELL_AMOUNT")
    if found[3] and UNITS[found[3]] != unit:
        raise CellProblem("CELL_AMOUNT_UNIT", unit=UNIT_NAMES[unit])
    return _fen(found[1].replace(",", ""), (found[2] or "").rstrip("0").rstrip("."), unit)


def _fen(digits: str, fraction: str, unit: str) -> int:
    if len(fraction) > MOST_DECIMALS[unit]:
        raise CellProblem("CELL_AMOUNT_FRACTION")
    try:
        return WHOLE_FEN[unit](digits + fraction)
    except ValueError:
        raise CellProblem("CELL_AMOUNT") from None  # more digits than any amount has


MOST_DECIMALS = {"fen": 0, "yuan": 3, "wan": 7}  # with the point; a 分 is the smallest part
WHOLE_FEN: dict[str, Callable[[str], int]] = {
    "fen": lambda text: money.fen_of_yuan(text) // money.FEN_PER_YUAN,
    "yuan": money.fen_of_yuan,
    "wan": money.fen_of_wan,
}


def in_wan(unit: str) -> Callable[[str], str]:
    """Amounts of this unit as 万元 with up to six decimals, which is what a decimal field holds."""

    def convert(text: str) -> str:
        return money.wan_of_fen(fen(text, unit))

    return convert


def in_fen(unit: str) -> Callable[[str], int]:
    """Amounts of this unit as whole 分."""

    def convert(text: str) -> int:
        return fen(text, unit)

    return convert


PLAIN_TYPES: dict[str, Callable[[str], Any]] = {"date": day, "int": whole, "money_fen": whole, "bool": truth}
