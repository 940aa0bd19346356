"""文号, the number of an official document: brackets and digits are written in many ways and mean the same."""

from __future__ import annotations

import re
import unicodedata

OPENING = str.maketrans("[【(〈《{﹝〖", "〔" * 8)
CLOSING = str.maketrans("]】)〉》}﹞〗", "〕" * 8)


def normalise(text: str) -> str:
    """NFKC, no white space, year brackets as 〔〕: 鄂环罚[2017] 12号 and 鄂环罚（2017）12号 are one number."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).translate(OPENING).translate(CLOSING)
    return unicodedata.normalize("NFKC", plain.upper())  # what a space or a small letter had kept apart is composed
