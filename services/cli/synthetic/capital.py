"""Registered capital (注册资金) as the register writes it, rightly or wrongly."""

from __future__ import annotations

from random import Random

from services.cli.synthetic.chance import weighted

MISSING = "N/A"
UNITS = {  # measured rows; whether the unit stands in brackets
    "(万元人民币)": 29194,
    "(万元)": 26195,
    "(万)": 6762,
    "万人民币": 1099,
    "(万美元)": 395,
    "(万港币)": 93,
    "(万欧元)": 19,
    "(万日元)": 5,
}
SIZES = {(1, 9): 800, (10, 99): 18_300, (100, 999): 25_800, (1_000, 9_999): 13_500, (10_000, 99_999): 1_400}
FRACTIONS = 0.03  # of the amounts have one
WRONG_UNITS = {"(万)": 165, "(万元人民币)": 111, "(万美元)": 1}


def capital(dirt: str, chance: Random) -> str:
    """A capital with this kind of dirt, or a good one."""
    if dirt == "capital_missing":
        return MISSING
    if dirt == "malformed_capital":
        return f"{chance.randint(1, 99)},{chance.randrange(10**7):07d}" + weighted(chance, WRONG_UNITS)
    unit = weighted(chance, UNITS)
    if dirt == "zero_capital":
        return "0" + unit
    if dirt == "implausible_capital":
        return f"{chance.randint(1_000, 90_000) * 1_000:,}" + unit
    low, high = chance.choices(list(SIZES), list(SIZES.values()))[0]
    fraction = f".{chance.randint(1, 9999):04d}" if chance.random() < FRACTIONS else ""
    return f"{chance.randint(low, high):,}" + fraction + unit
