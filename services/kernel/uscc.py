"""统一社会信用代码, the unified social credit code (USCC) of GB 32100-2015: 18 characters, the last one a check."""

from __future__ import annotations

from operator import mul
from typing import NamedTuple

from services.kernel import organisation_code
from services.kernel.text import narrowed

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1)  # 3^i mod 31; the check counts once
PLACEHOLDER = "0" * 17 + "X"  # sent where a 个体工商户 has none; it must never resolve to a subject
NOBODY = frozenset({PLACEHOLDER, "0" * 18})  # eighteen zeros pass the check digit, and are nobody's either
LETTERS = ALPHABET.encode()
VALUES = bytes(ALPHABET.index(chr(i)) if chr(i) in ALPHABET else 0 for i in range(256))

CATEGORIES = {
    "1": "1239",
    "2": "19",
    "3": "123459",
    "4": "19",
    "5": "1239",
    "6": "129",
    "7": "129",
    "8": "19",
    "9": "123",
    "A": "19",
    "N": "1239",
    "Y": "1",
}  # first character (registering department) -> second (kind of body); dates of addition unknown, so only a warning
KINDS = frozenset(department + body for department, bodies in CATEGORIES.items() for body in bodies)


class Checked(NamedTuple):
    """A code after repair. `fault`: "" | LENGTH | ALPHABET | PLACEHOLDER | CHECK_DIGIT; `notes` do not refuse."""

    code: str
    fault: str
    notes: tuple[str, ...]

    @property
    def repaired(self) -> bool:
        """True when lower case, full width or white space was put right."""
        return "REPAIRED" in self.notes


def check(text: str) -> Checked:
    """Repair what can be repaired, then judge. Notes: REPAIRED, ORG_CODE_DIGIT, UNKNOWN_CATEGORY."""
    code = narrowed(text)
    fault = _fault(code)
    notes = () if code == text else ("REPAIRED",)
    if fault:
        return Checked(code, fault, notes)
    if organisation_code.check_character(code[8:16]) != code[16]:
        notes += ("ORG_CODE_DIGIT",)  # 57 of 137,972 real codes: a warning, never a refusal
    if code[:2] not in KINDS:
        notes += ("UNKNOWN_CATEGORY",)
    return Checked(code, "", notes)


def _fault(code: str) -> str:
    if len(code) != 18:
        return "LENGTH"
    if code in NOBODY:
        return "PLACEHOLDER"
    raw = code.encode("ascii", "replace")  # what is not ASCII becomes a question mark, which is no letter
    if raw.translate(None, LETTERS):
        return "ALPHABET"
    return "CHECK_DIGIT" if sum(map(mul, raw.translate(VALUES), WEIGHTS)) % 31 else ""


def is_valid(code: str) -> bool:
    """Whether a code is valid as written."""
    return not _fault(code)


def complete(body: str) -> str:
    """The 18-character code of 17 characters, for those who issue or invent codes."""
    total = sum(map(mul, body.encode().translate(VALUES), WEIGHTS))
    return body + ALPHABET[-total % 31]


def organisation_part(code: str) -> str:
    """The organisation code inside a USCC."""
    return code[8:17]
