"""公民身份号码, the resident ID number of GB 11643-1999. Sex and birthplace are never read from it."""

from __future__ import annotations

import re
from datetime import date

from services.kernel.text import narrowed

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
LONG = re.compile(r"[1-9][0-9]{16}[0-9X]")
SHORT = re.compile(r"[1-9][0-9]{14}")
EARLIEST = date(1800, 1, 1)
CENTENARIANS = ("996", "997", "998", "999")  # sequence numbers kept for them in the 15-digit form


def check_character(body: str) -> str:
    """ISO 7064 MOD 11-2 over 17 digits."""
    return CHECKS[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def normalise(text: str) -> str:
    """18 characters: plain digits, upper-case X, 15-digit numbers (ended as documents in 2013) extended."""
    number = narrowed(text)
    if not SHORT.fullmatch(number):
        return number
    century = "18" if number[12:] in CENTENARIANS else "19"
    body = number[:6] + century + number[6:]
    return body + check_character(body)


def is_valid(number: str, latest: date = date.max) -> bool:
    """Form, check character and a date that exists and is not after `latest`, the day of the record.

    The region is no gate: people move and counties are renamed.
    """
    if not LONG.fullmatch(number) or check_character(number[:17]) != number[17]:
        return False
    try:
        return EARLIEST <= date(int(number[6:10]), int(number[10:12]), int(number[12:14])) <= latest
    except ValueError:
        return False  # no such day, 29 February 1903
