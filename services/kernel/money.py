"""Money as whole 分. Sources write 元, 万元, or a registered capital with its unit; floating point is never used."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

FEN_PER_YUAN = 100
FEN_PER_WAN = 1_000_000
MOST = 10**18  # fits in 64 bits
PLAIN = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
CAPITAL = re.compile(r"(?P<digits>[0-9][0-9,]{0,15})(?P<fraction>\.[0-9]{1,8})?(?P<unit>万[^()]*|\(万[^()]*\))")
GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")
CURRENCIES = {
    "万": "",  # names no currency
    "万元": "CNY",
    "万人民币": "CNY",
    "万元人民币": "CNY",
    "万人民币元": "CNY",
    "万美元": "USD",
    "万港币": "HKD",
    "万港元": "HKD",
    "万欧元": "EUR",
    "万日元": "JPY",
    "万澳大利亚元": "AUD",
    "万法国法郎": "FRF",
    "万瑞士法郎": "CHF",
    "万英镑": "GBP",
}


class Capital(NamedTuple):
    """Registered capital: hundredths of the currency's unit, and the currency's ISO 4217 code ("" if not named)."""

    hundredths: int
    currency: str


def fen_of_yuan(text: str) -> int:
    """元 as 分; raises ValueError for what is no amount or has a part of a 分."""
    return _whole(text, FEN_PER_YUAN)


def fen_of_wan(text: str) -> int:
    """万元 with up to six decimals as 分: a fine of 2,000 元 is written 0.2."""
    return _whole(text, FEN_PER_WAN)


def _whole(text: str, factor: int) -> int:
    if not PLAIN.fullmatch(text):
        raise ValueError("no amount")
    amount = Decimal(text) * factor
    if amount != amount.to_integral_value():
        raise ValueError("less than a 分")
    return int(amount)


def wan_of_fen(fen: int) -> str:
    """分 as 万元, without trailing zeros."""
    return f"{Decimal(fen) / FEN_PER_WAN:f}"


def capital(text: str) -> Capital | None:
    """A registered capital such as `2,000(万元)` or `50万元人民币`; None when it is malformed.

    Digits that are wrongly grouped (`3,0000000(万)`) say nothing reliable: they are not guessed at.
    """
    found = CAPITAL.fullmatch(text.strip().replace("（", "(").replace("）", ")"))
    unit = found["unit"].strip("()") if found else ""
    if found is None or unit not in CURRENCIES:
        return None
    digits = found["digits"]
    if "," in digits and not GROUPED.fullmatch(digits):
        return None
    amount = Decimal(digits.replace(",", "") + (found["fraction"] or "")) * FEN_PER_WAN
    hundredths = int(amount.to_integral_value())  # a part of a 分 in a register is a rounding of the source
    return Capital(hundredths, CURRENCIES[unit]) if hundredths <= MOST else None
