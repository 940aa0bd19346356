"""组织机构代码, the organisation code of GB 11714-1997: eight characters and a check character."""

from __future__ import annotations

import re
from operator import mul

from services.kernel.text import narrowed

WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "0X987654321"  # by the weighted sum modulo 11: 11 minus it, where 10 is written X and 11 is written 0
FORM = re.compile(r"[0-9A-Z]{8}[0-9X]")
PRIVATE = re.compile(r"PDY(?!00000)[0-9]{5}")  # PDY00001 to PDY99999: private use, never a real subject
NOBODY = "000000000"  # what is typed where there is none; its check digit is right
BASE_36 = bytes(int(chr(i), 36) if chr(i).isascii() and chr(i).isalnum() else 0 for i in range(256))


def check_character(body: str) -> str:
    """The check character of eight characters; letters count as in base 36 (A=10 … Z=35), not as in the USCC."""
    return CHECKS[sum(map(mul, body.encode().translate(BASE_36), WEIGHTS)) % 11]


def normalise(text: str) -> str:
    """Upper case, without the printed hyphen."""
    return narrowed(text).replace("-", "")


def is_valid(code: str) -> bool:
    """Whether a normalised code has the form and the right check character, and may be a real subject's."""
    if not FORM.fullmatch(code) or PRIVATE.match(code) or code == NOBODY:
        return False
    return check_character(code[:8]) == code[8]
