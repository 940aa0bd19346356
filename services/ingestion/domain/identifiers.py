"""The kernel's identifiers as verdicts: what is wrong with a code, and what is only worth a note."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from services.kernel import money, organisation_code, regions, registration_number, resident_id, uscc
from services.kernel.text import narrowed

USCC_FAULTS = {
    "LENGTH": "SUBJECT_CODE_FORMAT",
    "ALPHABET": "SUBJECT_CODE_FORMAT",
    "PLACEHOLDER": "SUBJECT_CODE_PLACEHOLDER",
    "CHECK_DIGIT": "SUBJECT_CODE_CHECK_DIGIT",
}
USCC_NOTES = {
    "REPAIRED": "SUBJECT_CODE_REPAIRED",
    "ORG_CODE_DIGIT": "ORG_CODE_DIGIT_SUSPECT",
    "UNKNOWN_CATEGORY": "USCC_CATEGORY_UNLISTED",
}
# A run of exactly 18; it begins with a plain set, which lets the search skip fast to the first digit.
LONG_NUMBER = re.compile("[0-9０-９](?<![0-9０-９]{2})[0-9０-９]{16}[0-9０-９XxＸｘ](?![0-9０-９])")
CODE_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
PROVINCE_RANGES = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
PROVINCES = frozenset(str(n) for first, last in PROVINCE_RANGES for n in range(first, last + 1))


class Judged(NamedTuple):
    """Codes of the fault catalogue."""

    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()


@lru_cache(maxsize=4096)  # the bodies named in payloads are few, and a subject's code comes twice in a submission
def judge(kind: str, code: str) -> Judged:
    """Judge a subject's code of this kind."""
    return JUDGES[kind](code)


def _uscc(code: str) -> Judged:
    checked = uscc.check(code)
    if checked.fault:
        return Judged((USCC_FAULTS[checked.fault],))
    return Judged((), tuple(USCC_NOTES[note] for note in checked.notes if note in USCC_NOTES))


def _organisation_code(code: str) -> Judged:
    plain = organisation_code.normalise(code)
    if not organisation_code.FORM.fullmatch(plain):
        return Judged(("SUBJECT_CODE_FORMAT",))
    if organisation_code.PRIVATE.match(plain):
        return Judged(("SUBJECT_CODE_PLACEHOLDER",))
    return _checked(organisation_code.is_valid(plain), plain == code)


def _registration_number(code: str) -> Judged:
    plain = registration_number.normalise(code)
    if not registration_number.is_valid(plain) and not registration_number.FORM.fullmatch(plain):
        return Judged(("SUBJECT_CODE_FORMAT",))
    return _checked(registration_number.is_valid(plain), plain == code)


def _resident_id(code: str) -> Judged:
    plain = resident_id.normalise(code)
    if not resident_id.LONG.fullmatch(plain):
        return Judged(("SUBJECT_CODE_FORMAT",))
    return _checked(resident_id.is_valid(plain), plain == code)


def _checked(valid: bool, as_written: bool) -> Judged:
    if not valid:
        return Judged(("SUBJECT_CODE_CHECK_DIGIT",))
    return Judged((), () if as_written else ("SUBJECT_CODE_REPAIRED",))


JUDGES: dict[str, Callable[[str], Judged]] = {
    "uscc": _uscc,
    "org_code": _organisation_code,
    "reg_no": _registration_number,
    "resident_id": _resident_id,
}


def place(kind: str, code: str, fault: str) -> int | None:
    """Where a code is wrong, counted from 1: its check digit, or the first character that no such code has."""
    if fault == "SUBJECT_CODE_CHECK_DIGIT":
        return len(code)
    allowed = uscc.ALPHABET if kind == "uscc" else CODE_LETTERS
    return next((n for n, sign in enumerate(code, 1) if narrowed(sign) not in allowed), None)


def is_capital(text: str) -> bool:
    """Whether a registered capital says something reliable."""
    return money.capital(text) is not None


def holds_identity_number(text: str) -> bool:
    """Whether a text holds what is, by province, date and check digit, a resident identity number."""
    return len(text) >= 18 and identity_number_at(text) is not None


def identity_number_at(text: str) -> int | None:
    """Where the first resident identity number begins, counted from 1."""
    found = LONG_NUMBER.finditer(text)
    return next((f.start() + 1 for f in found if _is_identity_number(narrowed(f.group()))), None)


def _is_identity_number(number: str) -> bool:
    """Stricter than the kernel, which judges a number given as such: a social credit code may look like one."""
    return number[:2] in PROVINCES and "1850" <= number[6:10] <= "2100" and resident_id.is_valid(number)


def is_hubei(region: str) -> bool:
    """Whether a region code is, or was, one of Hubei."""
    return region.startswith(regions.PROVINCE) and regions.known(region)
