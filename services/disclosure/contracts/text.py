"""Text from outside as the store can hold it."""

from __future__ import annotations


def storable(text: str, limit: int) -> str:
    """Cut, without outer white space, and without NUL, which PostgreSQL text cannot hold."""
    return text.strip()[:limit].replace("\0", "\ufffd")
