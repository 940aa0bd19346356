"""工商注册号, the 15-digit registration number of GS 15-2006; older forms cannot be checked."""

from __future__ import annotations

import re

from services.kernel.text import narrowed

FORM = re.compile(r"[0-9]{15}")
OLDER = re.compile(r"[0-9A-Z]{6,20}")


def check_digit(body: str) -> str:
    """ISO 7064 MOD 11,10 over 14 digits."""
    p = 10
    for digit in body:
        p = ((p + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - p) % 10)


def normalise(text: str) -> str:
    """Upper case, plain digits."""
    return narrowed(text)


def is_valid(number: str) -> bool:
    """15 digits with the right check digit, or an older form, which is taken as it is (13 digits, letters)."""
    if not number.strip("0"):
        return False  # what is typed where there is none
    if FORM.fullmatch(number):
        return check_digit(number[:14]) == number[14]
    return bool(OLDER.fullmatch(number)) and len(number) != 18
