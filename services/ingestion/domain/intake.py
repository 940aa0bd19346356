"""Whether a catalogue item takes what is sent: it is open, not retired, and the edition used is in force."""

from __future__ import annotations

from typing import NamedTuple

from services.ingestion.domain.definition import Item
from services.ingestion.domain.faults import Fault, fault


class Door(NamedTuple):
    """How an item stands as a whole, whichever of its editions a submission was written with."""

    intake: str
    retired: bool


def refusals(item: Item, door: Door, action: str, day: int) -> tuple[Fault, ...]:
    """Only new reports need an edition in force and an item that is not retired; `day` is that of receipt.

    An edition that took nothing takes nothing when a later one has opened the item.
    """
    if door.intake == "closed":
        return (fault("ITEM_NOT_OPEN", "item", item.code),)
    if item.standing.intake == "closed":
        return (fault("ITEM_NOT_IN_FORCE", "item", item.code),)
    if action != "report":
        return ()
    if door.retired:
        return (fault("ITEM_RETIRED", "item"),)
    return () if item.standing.in_force(day) else (fault("ITEM_NOT_IN_FORCE", "item", item.code),)


def unlimited(item: Item, door: Door, day: int) -> bool:
    """Whether nothing will be refused from this day on, however long the edition stands."""
    taken = door == Door("open", False) and item.standing.intake == "open"
    return taken and item.standing.until is None and item.standing.in_force(day)
