"""Subjects and the codes by which they are known."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A code by which an organisation is known."""

    kind: str
    code: str


class Subject(NamedTuple):
    """An organisation or sole trader; version 0: not known yet."""

    subject_id: bytes
    kind: str = "org"
    name: str | None = None
    named_at: int = 0  # when the registration that gave the name was produced
    version: int = 0
    codes: tuple[Code, ...] = ()
    merged_into: bytes | None = None  # who stands for it since they were found to be the same


class Alias(NamedTuple):
    """An old code; `subject_id` is None until a mapping or a registration brings it."""

    alias_id: bytes
    kind: str
    subject_id: bytes | None = None
    source: str = ""  # the item that brought it
    contested: bool = False
