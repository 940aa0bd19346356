"""The published list of faults (错误目录), made from the very entries that receipts and outcomes are made of."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from services.ingestion.domain.codes import CODES, Entry


class _Names(defaultdict[str, str]):
    """Every placeholder of a text stands for its own name."""

    def __missing__(self, name: str) -> str:
        return f"<{name.removesuffix('_zh')}>"


def error_list() -> list[dict[str, Any]]:
    """One object a code, in the order of the road: bytes, envelope, payload, state; notes; commands."""
    return [{"code": code, **_told(entry)} for code, entry in CODES.items()]


def _told(entry: Entry) -> dict[str, str]:
    names = _Names()
    return {
        "about": entry.about,
        "rule": entry.rule.format_map(names),
        "clause": entry.clause,
        "message_zh": entry.zh.format_map(names),
        "message_en": entry.en.format_map(names),
        "example": entry.example,
    }
