"""Decides what comes to identity: versions of records, and orders of people."""

from __future__ import annotations

from collections.abc import Sequence

from services.identity.domain import linking, merging, reviewing
from services.identity.domain.cluster import Cluster
from services.identity.domain.events import Event
from services.identity.domain.order_events import OrderAnswered
from services.identity.domain.orders import Asked, ClaimAsked, DecideAsked
from services.identity.domain.records import RecordSeen
from services.identity.domain.story import Story
from services.identity.domain.terms import MAPPING

Input = RecordSeen | Asked


def decide(cluster: Cluster, given: Input) -> Sequence[Event]:
    """What follows from an input; an order that comes again is answered as it was at first."""
    return linking.decide(cluster, given) if isinstance(given, RecordSeen) else _ordered(cluster, given)


def alone(given: Input) -> bool:
    """Whether this may change links that stand: who decides it is alone in the store meanwhile."""
    return not isinstance(given, RecordSeen) or (given.item == MAPPING and given.version > 1)


def _ordered(cluster: Cluster, given: Asked) -> Sequence[Event]:
    order = given.order
    known = cluster.ledger.answered.get(order.command_id)
    if known is not None:
        return (OrderAnswered(order, known.faults, known.detail, again=True),)
    story = Story(cluster, order.at_ms)
    faults, detail = order.faults, None
    if not faults:
        found = (
            reviewing.decide(story, given)
            if isinstance(given, ClaimAsked | DecideAsked)
            else merging.decide(story, given)
        )
        faults, detail = tuple(found[0]), found[1]
    story.tell([OrderAnswered(order, faults, detail)])
    return story.events
