"""What must hold at every moment: looked at when a record is written to a topic and when a transaction commits."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from aiokafka import TopicPartition

from services.chassis.message import Message
from tests.sim.broker import Entry
from tests.sim.store.engine import Database, Tx

GROWING = ("epoch", "next_offset", "position", "published")


class Violation(Exception):
    """An invariant does not hold; the text names the first offender."""


class Watch:
    """Remembers what was said and done, and objects at the first thing that must not be."""

    def __init__(self) -> None:
        self.violation: str | None = None
        self.said: dict[tuple[str, int], tuple[TopicPartition, bytes, bytes | None]] = {}
        self._highest: dict[tuple[TopicPartition, str], int] = defaultdict(int)
        self._applied: set[tuple[object, ...]] = set()
        self._last: dict[tuple[object, ...], int] = {}
        self._set: set[tuple[object, ...]] = set()  # timers that wait: each may fire once

    def object(self, text: str) -> None:
        """The first one counts: what follows may only follow from it."""
        if self.violation is None:
            self.violation = text

    # --- topics ------------------------------------------------------------------------------------------------

    def appended(self, place: TopicPartition, offset: int, entry: Entry) -> None:
        """Positions of an origin: never with two contents, never below one that was said here before."""
        headers = dict(entry.headers)
        if "origin" not in headers:
            return
        origin, position = headers["origin"].decode(), int(headers["position"])
        content = (place, entry.key, entry.value)
        before = self.said.setdefault((origin, position), content)
        if before != content:
            self.object(f"I3 position {position} of {origin} was said twice with different content")
        if before is content:
            if position < self._highest[place, origin]:
                self.object(f"I3 {origin} said {position} in {place} after a later one: whoever reads will drop it")
            self._highest[place, origin] = max(position, self._highest[place, origin])

    # --- stores ------------------------------------------------------------------------------------------------

    def committed(self, database: Database, tx: Tx) -> None:
        """Before the rows of a transaction become those of the store."""
        self._lanes(database, tx)
        for message in tx.notes:
            self._read(database, message)
        for key, row in tx.written["timers"].items():
            if row is not None:
                self._set.add((database.name, *key))

    def _lanes(self, database: Database, tx: Tx) -> None:
        for key, row in tx.written["lanes"].items():
            if row is None:
                continue
            old = database.tables["lanes"].get(key, row)
            for name in GROWING:
                if row[name] < old[name]:
                    self.object(f"I5 {database.name}: {name} of lane {key} went back from {old[name]} to {row[name]}")
            if row["published"] > row["position"]:
                self.object(f"I5 {database.name}: lane {key} has published {row['published']}, said {row['position']}")

    def _read(self, database: Database, message: Message) -> None:
        if message.offset < 0:
            self._timer(database, message)
            return
        lane = (database.name, message.topic, message.partition)
        if (*lane, message.offset) in self._applied:
            self.object(f"I2 {database.name} applied {message.topic}/{message.partition}/{message.offset} twice")
        self._applied.add((*lane, message.offset))
        origin, position = message.header("origin"), message.header("position")
        if origin is not None and position is not None:
            said = (database.name, "said", origin, int(position))
            if said in self._applied:
                self.object(f"I2 {database.name} applied position {int(position)} of {origin.decode()} twice")
            self._applied.add(said)
        if message.offset < self._last.get((*lane, message.key), -1):
            self.object(f"I3 {database.name} applied {message.topic}/{message.partition}/{message.offset} out of order")
        self._last[*lane, message.key] = message.offset

    def _timer(self, database: Database, message: Message) -> None:
        kind = (message.header("timer") or b"").decode()
        key: tuple[Any, ...] = (database.name, message.topic, message.partition, kind, message.key)
        if key not in self._set:
            self.object(f"I2 {database.name}: timer {kind} of {message.topic}/{message.partition} fired twice")
        self._set.discard(key)

    def applied(self, service: str, topic: str, partition: int, offset: int) -> bool:
        """Whether a service has applied this message."""
        return (service, topic, partition, offset) in self._applied
