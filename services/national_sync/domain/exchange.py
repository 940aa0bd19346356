"""The aggregate: one record's exchange with the national platform.

Versions of a record and changes of its link come in different lanes, in any order. Both counts only rise, and so does
their sum, by which the platform tells pushes apart and knows the later one. Whatever raises one of them is pushed, so
in the end what was pushed last depends on the highest of both and not on the order. To whom a record moves in a merge
is not told to the nation, so such a change counts for nothing here.
"""

from __future__ import annotations

from typing import NamedTuple

from services.national_sync.domain.events import Action, Event, LinkNoted, PushDueAgain, PushWanted, Status


class Exchange(NamedTuple):
    """The state; version 0: no version has come. `held`: the platform holds the record, as far as its acknowledgements
    tell, by the push of number `held_version`. `nobodys`: it was linked, and is about nobody known now."""

    record_id: bytes
    version: int = 0
    item: str = ""
    action: Action = "put"
    status: Status = "UNKNOWN"
    attempt: int = 0
    held_version: int = 0
    held: bool = False
    link_no: int = 0
    nobodys: bool = False

    @property
    def number(self) -> int:
        """What the platform sees as the version of the last push; 0: nothing was pushed."""
        return self.version + self.link_no if self.version else 0


def evolve(state: Exchange, event: Event) -> Exchange:
    """Apply one event."""
    if isinstance(event, PushWanted):
        what = (event.version, event.item, event.action)
        held = (state.held_version, state.held)
        return Exchange(state.record_id, *what, "PENDING", 1, *held, event.link_no, event.nobodys)
    if isinstance(event, LinkNoted):
        return state._replace(link_no=event.link_no, nobodys=event.nobodys)
    if isinstance(event, PushDueAgain):
        return state._replace(status="PENDING", attempt=event.attempt)
    moved = state if event.moves_to is None else state._replace(status=event.moves_to)
    if event.verdict == "ACKNOWLEDGED" and event.version > state.held_version:
        return moved._replace(held_version=event.version, held=event.action == "put")
    return moved
