"""Facts told one after the other, each decided on what the earlier ones made of the state."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain.cluster import Cluster, evolve
from services.identity.domain.events import Event, NumberTaken


class Story:
    """The cluster as it is after the events told so far."""

    def __init__(self, cluster: Cluster, at_ms: int) -> None:
        self.cluster = cluster
        self.at_ms = at_ms
        self.events: list[Event] = []

    def tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            self.cluster = evolve(self.cluster, event)

    def next_number(self) -> int:
        """Taken from the count of all changes of links; whoever asks is alone in the store."""
        self.tell([NumberTaken(self.cluster.ledger.number + 1)])
        return self.cluster.ledger.number


def moved_by(number: int) -> int:
    """The link number of a change: even, so that there is room behind it."""
    return 2 * number


def linked_after(number: int) -> int:
    """The link number of a record that is linked again, after that many changes and before the next one.

    Who links again is not alone and takes no number. A record that one change made nobody's is linked again once before
    the next: no number is given to it twice.
    """
    return 2 * number + 1
