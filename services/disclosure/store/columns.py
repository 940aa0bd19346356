"""Rows as the column arrays that `unnest` takes, and times as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any


def columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    """One list per column; there must be a row."""
    return [list(column) for column in zip(*rows, strict=True)]


def time_of(at_ms: int) -> datetime:
    """Milliseconds since 1970 as a time, exactly."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)


def ms_of(at: datetime) -> int:
    """The way back."""
    return int(at.timestamp()) * 1000 + at.microsecond // 1000
