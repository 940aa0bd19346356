"""Dirt that every source has: full-width forms, stray spaces, lower case."""

from __future__ import annotations

import unicodedata


def narrowed(text: str) -> str:
    """Full-width letters and digits as plain ones, outer white space removed, letters in upper case."""
    if text.isascii():
        return text.strip().upper()
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    return unicodedata.normalize("NFKC", plain)  # upper case may have taken a letter and its mark apart
