"""Names: a key to compare them with, never to link by, and the mask for a person's name.

Traditional characters are left as they are: they are not brought together with their simplified forms.
"""

from __future__ import annotations

import re
import unicodedata

DROPPED = re.compile(r"[\s\u200b\ufeff·•・‧∙]+")
BRACKETS = str.maketrans("〔〕【】[]{}", "()()()()")


def matching_key(name: str) -> str:
    """NFKC, no spaces or middle dots, one kind of bracket, upper case; 有限公司 and the like stay: they tell apart."""
    plain = DROPPED.sub("", unicodedata.normalize("NFKC", name)).translate(BRACKETS).upper()
    if plain.isascii() or unicodedata.is_normalized("NFKC", plain):
        return plain
    return unicodedata.normalize("NFKC", plain)  # what a space or a small letter had kept apart is composed


def masked(name: str) -> str:
    """A person's name as others may see it: 张*."""
    return name[:1] + "*" if name else ""
