"""Progress bars on the error channel, for people only: a pipe gets none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import track as rich_track

T = TypeVar("T")
console = Console(stderr=True)


def track(work: Sequence[T], what: str, quiet: bool = False) -> Iterable[T]:
    """The same elements, with a bar while they are worked off."""
    if quiet or not console.is_terminal:
        return work
    return rich_track(work, what, console=console)


def bars() -> Progress:
    """Several bars at once; silent where there is no terminal."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
