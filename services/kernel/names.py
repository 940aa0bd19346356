"""Names: a key to compare them with, never to link by, and the mask for a person's name."""

from __future__ import annotations

import re
import unicodedata

from services.kernel.traditional import TO_SIMPLIFIED

DROPPED = re.compile(r"[\s\u200b\ufeff·•・‧∙]+")
BRACKETS = str.maketrans("〔〕【】[]{}", "()()()()")


def matching_key(name: str) -> str:
    """NFKC, no spaces or middle dots, one kind of bracket, simplified, upper case (domain.md §3.10).

    有限公司, 股份 and 分公司 stay: they tell apart. The key is compared and never shown.
    """
    plain = DROPPED.sub("", unicodedata.normalize("NFKC", name)).translate(BRACKETS).translate(TO_SIMPLIFIED).upper()
    if plain.isascii() or unicodedata.is_normalized("NFKC", plain):
        return plain
    return unicodedata.normalize("NFKC", plain)  # what a space or a small letter had kept apart is composed


def masked(name: str) -> str:
    """A person's name as others may see it: 张*."""
    return name[:1] + "*" if name else ""
