"""What outsiders hear on a topic, and how it is compared with what they should have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.sim.broker import Entry
from tests.sim.checks import Watch
from tests.sim.shared import shared


def heard(world: Any, topic: str) -> Iterator[tuple[Entry, dict[str, Any]]]:
    """A topic as every consumer takes it: repeats dropped by origin and position, decoded."""
    for log in world.broker.topics[topic]:
        highest: dict[bytes, int] = defaultdict(int)
        for entry in filter(None, log):
            headers = dict(entry.headers)
            origin, position = headers["origin"], int(headers["position"])
            if position > highest[origin]:
                highest[origin] = position
                yield entry, shared().schemas.decode(entry.value or b"")[1]


def same(watch: Watch, what: str, found: Counter[Any], wanted: Counter[Any], complete: bool) -> None:
    """Nothing too much; if it is to be complete nothing missing either."""
    for kind, difference in (("too much", found - wanted), ("missing", wanted - found)):
        if difference and (kind == "too much" or complete):
            first = min(difference, key=repr)
            watch.object(f"{what}: {kind}: {first!r}")
