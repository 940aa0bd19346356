"""Which of the parked messages an operator means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from deploy.local.faults import StackFault

PLACE = re.compile(r"(credit\.[a-z0-9.-]+)/(\d+)/(-?\d+)")
Row = dict[str, Any]


class Choice(NamedTuple):
    """One of the three: a place, a code, everything."""

    place: str
    code: str
    everything: bool


def chosen(service: str, rows: Sequence[Row], choice: Choice) -> list[Row]:
    """The rows that are meant, in their order; raises `StackFault` for no choice, two, or one that hits nothing."""
    listing = f"credit parked list {service}"
    if (bool(choice.place), bool(choice.code), choice.everything).count(True) != 1:
        raise StackFault(f"name one of: a place (topic/partition/offset), --code CODE, --all; {listing}")
    if choice.place and PLACE.fullmatch(choice.place) is None:
        raise StackFault(f"{choice.place!r} is no topic/partition/offset: {listing}")
    found = [row for row in rows if row["state"] != "DISCARDED" and _meant(row, choice)]
    if not found and not choice.everything:
        raise StackFault(f"no such message is parked: {listing}")
    return found


def with_keys(rows: Sequence[Row], choice: Choice, service: str) -> list[Row]:
    """The rows that are meant, and all others of their keys: what a release takes up."""
    wanted = set(heads(chosen(service, rows, choice)))
    return [row for row in rows if row["head"] in wanted and row["state"] != "DISCARDED"]


def _meant(row: Row, choice: Choice) -> bool:
    return choice.everything or row["place"] == choice.place or row["code"] == choice.code


def heads(rows: Sequence[Row]) -> list[str]:
    """One place per key, the first one, in their order."""
    return list(dict.fromkeys(row["head"] for row in rows))


def parsed(place: str) -> tuple[str, int, int]:
    """topic, partition, offset."""
    topic, partition, offset = place.rsplit("/", 2)
    return topic, int(partition), int(offset)
