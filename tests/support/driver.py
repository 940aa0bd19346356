"""Runs an aggregate over inputs without a broker or a store: what a batch does, and nothing else."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

AnyAggregate = Any  # an Aggregate of any service; its type parameters are the service's own


def run(aggregate: AnyAggregate, inputs: Iterable[Any], states: dict[Hashable, Any] | None = None) -> list[list[Any]]:
    """Decide and evolve in order; `states` is changed in place. Returns the events of each input."""
    states = {} if states is None else states
    said: list[list[Any]] = []
    for given in inputs:
        key = aggregate.key(given)
        state = states[key] if key in states else aggregate.initial(key)
        events = list(aggregate.decide(state, given))
        for event in events:
            state = aggregate.evolve(state, event)
        if events:
            states[key] = state
        said.append(events)
    return said


def replay(aggregate: AnyAggregate, keyed: Sequence[tuple[Hashable, Any]]) -> dict[Hashable, Any]:
    """The states that follow from events alone."""
    states: dict[Hashable, Any] = {}
    for key, event in keyed:
        states[key] = aggregate.evolve(states.get(key, aggregate.initial(key)), event)
    return states
