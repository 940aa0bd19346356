"""Addresses and scopes of business as the register writes them, with full-width letters or cut-off brackets."""

from __future__ import annotations

from random import Random

from services.cli.synthetic import words

MISSING = "N/A"
FULL_WIDTH_DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")
LONGEST = 40  # phrases of a scope: about 500 characters


def full_width_name(name: str, place: str) -> str:
    """The place in full-width brackets."""
    return name.replace(place, f"（{place}）", 1)


def address(dirt: str, place: str, chance: Random) -> str:
    """An address on a road that does not exist."""
    if dirt == "address_missing":
        return MISSING
    number, floor = chance.randint(1, 999), chance.randint(1, 30)
    plain = f"湖北省{place}演示区{chance.choice(words.ROADS)}{number}号"
    if dirt == "unbalanced_bracket":
        return f"{plain}({floor}层"
    if dirt == "full_width_address":
        return plain.translate(FULL_WIDTH_DIGITS)
    return chance.choice((plain, f"{plain}{floor}层", f"{plain}({floor}栋)"))


def scope(dirt: str, chance: Random) -> str:
    """A scope of business: mostly a few phrases, sometimes very many."""
    if dirt == "scope_missing":
        return MISSING
    number = min(LONGEST, 2 + int(chance.expovariate(0.3)))
    phrases = [chance.choice(words.GOODS) + chance.choice(words.DEEDS) for _ in range(number)]
    return ("；" if dirt == "full_width_scope" else "。").join(phrases)
