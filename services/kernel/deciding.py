"""The composition of `decide` and `evolve`: what every driver of an aggregate does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import TypeVar

S = TypeVar("S")
I = TypeVar("I")  # noqa: E741 - the letter of the signature decide(S, I) -> [E]
E = TypeVar("E")


def fold(evolve: Callable[[S, E], S], state: S, events: Iterable[E]) -> S:
    """The state after these events, in order."""
    return reduce(evolve, events, state)


def step(
    decide: Callable[[S, I], Sequence[E]], evolve: Callable[[S, E], S], state: S, given: I
) -> tuple[S, Sequence[E]]:
    """(state after, events) of one input."""
    events = decide(state, given)
    return fold(evolve, state, events), events
