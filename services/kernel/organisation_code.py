"""组织机构代码, the organisation code of GB 11714-1997: eight characters and a check character."""

from __future__ import annotations

import re

from services.kernel.text import narrowed

WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
FORM = re.compile(r"[0-9A-Z]{8}[0-9X]")
PRIVATE = re.compile(r"PDY(?!00000)[0-9]{5}")  # PDY00001 to PDY99999: private use, never a real subject


def check_character(body: str) -> str:
    """The check character of eight characters; letters count as in base 36 (A=10 … Z=35), not as in the USCC."""
    value = 11 - sum(int(c, 36) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11
    return {10: "X", 11: "0"}.get(value, str(value))


def normalise(text: str) -> str:
    """Upper case, without the printed hyphen."""
    return narrowed(text).replace("-", "")


def is_valid(code: str) -> bool:
    """Whether a normalised code has the form and the right check character, and is not for private use."""
    return bool(FORM.fullmatch(code)) and not PRIVATE.match(code) and check_character(code[:8]) == code[8]
