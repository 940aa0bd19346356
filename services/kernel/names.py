"""Names: a key to compare them with, never to link by, and the mask for a person's name."""

from __future__ import annotations

import re
import unicodedata

DROPPED = re.compile(r"[\s·•・‧∙．]+")
BRACKETS = str.maketrans("〔〕【】[]{}", "()()()()")


def matching_key(name: str) -> str:
    """NFKC, no spaces or middle dots, one kind of bracket, upper case; 有限公司 and the like stay: they tell apart."""
    return DROPPED.sub("", unicodedata.normalize("NFKC", name)).translate(BRACKETS).upper()


def masked(name: str) -> str:
    """A person's name as others may see it: 张*."""
    return name[:1] + "*" if name else ""
