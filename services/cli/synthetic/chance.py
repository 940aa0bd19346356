"""Repeatable chance: the same seed and purpose give the same choices, and purposes do not disturb each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random
from typing import TypeVar

T = TypeVar("T")


def source(seed: int, purpose: str) -> Random:
    """A generator of its own for one purpose."""
    return Random(f"{seed}/{purpose}")  # noqa: S311 - repeatable on purpose


def day(chance: Random, first: date, last: date) -> date:
    """A day from `first` to `last`, both possible."""
    return first + timedelta(chance.randrange((last - first).days + 1))


def share(chance: Random, of: Sequence[T], part: float) -> list[T]:
    """So large a part of a sequence, in its order; at least one where there is one."""
    number = min(len(of), max(1, round(len(of) * part)))
    return [of[i] for i in sorted(chance.sample(range(len(of)), number))]


def weighted(chance: Random, measured: Mapping[str, int]) -> str:
    """One of them, as often as it was measured."""
    return chance.choices(list(measured), list(measured.values()))[0]
