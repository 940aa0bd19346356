"""Whether a code in its one form is well made (domain.md §3.1, §3.3-§3.5)."""

from __future__ import annotations

import re

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
USCC_VALUES = {letter: value for value, letter in enumerate(USCC_ALPHABET)}
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]", re.ASCII)
PRIVATE_USE = re.compile(r"PDY\d{5}", re.ASCII)  # PDY00001-PDY99999: never a real subject
REGISTRATION_NO = re.compile(r"[0-9A-Z]{6,50}", re.ASCII)
TAX_NO = re.compile(r"[0-9A-Z]{15,20}", re.ASCII)


def is_uscc(code: str) -> bool:
    """18 characters of the 31, and their weighted sum a multiple of 31."""
    if len(code) != 18 or any(letter not in USCC_VALUES for letter in code):
        return False
    values = [USCC_VALUES[letter] for letter in code]
    return (sum(w * v for w, v in zip(USCC_WEIGHTS, values, strict=False)) + values[17]) % 31 == 0


def is_organisation_code(code: str) -> bool:
    """8 characters and a check digit; letters count in base 36."""
    if ORGANISATION_CODE.fullmatch(code) is None or PRIVATE_USE.match(code):
        return False
    total = sum(w * int(letter, 36) for w, letter in zip(ORGANISATION_WEIGHTS, code, strict=False))
    return code[8] == "0123456789X0"[11 - total % 11]


def is_registration_no(code: str) -> bool:
    """15 digits are checked (ISO 7064 MOD 11,10); older forms have no check digit and are taken as they are."""
    if REGISTRATION_NO.fullmatch(code) is None:
        return False
    return _mod_11_10(code) if len(code) == 15 and code.isdecimal() else True


def _mod_11_10(code: str) -> bool:
    product = 10
    for digit in code[:14]:
        product = (((product + int(digit)) % 10 or 10) * 2) % 11
    return int(code[14]) == (11 - product) % 10


def is_tax_no(code: str) -> bool:
    """15 to 20 characters; the region and organisation code inside are not asked."""
    return TAX_NO.fullmatch(code) is not None
