"""The plumbing's metrics, the same in every service: name, help and labels in one place; labels from closed sets."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import asyncpg
from prometheus_client import Counter, Gauge, Histogram

from services.chassis import logs, postgres
from services.chassis.batch import Batch
from services.chassis.errors import LaneLost, PublishFailed, Transient

MESSAGES = Counter("credit_lane_messages_total", "Messages that ended, by how.", ["topic_family", "outcome"])
BATCH_SECONDS = Histogram(
    "credit_lane_batch_seconds",
    "From fetched to published.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
LAG_MESSAGES = Gauge("credit_lane_lag_messages", "Messages waiting in the lanes of this process.", ["topic_family"])
LAG_SECONDS = Gauge("credit_lane_lag_seconds", "Age of the oldest message waiting.", ["topic_family"])
OUTBOX_OLDEST = Gauge("credit_outbox_oldest_seconds", "Age of the oldest event not known to be published.")
PUBLISHED = Counter("credit_outbox_published_total", "Events published and acknowledged by the broker.")
PARKED = Gauge("credit_parking_messages", "Messages parked in this service's store.")
FENCED = Counter("credit_lane_fenced_total", "Batches dropped because another process owns the lane.")
TRANSIENT = Counter("credit_transient_total", "Times that something needed was away, by what.", ["kind"])
UP = Gauge("credit_dependency_up", "1 while the dependency answers.", ["dependency"])
STOPPED = Gauge("credit_lane_stopped", "Lanes of this process that wait for an operator.")
STALLED = Gauge("credit_lane_stalled_seconds", "For how long this process has had lag without progress; 30: it ends.")
BUILD = Gauge("credit_build_info", "Always 1; the labels say what is running.", ["service", "version"])

KINDS = frozenset({"broker", "database", "group", "registry"})
LOOK_EVERY = 5  # calls of `look`, one a second: the store is asked every fifth time

OLDEST = """
SELECT coalesce(extract(epoch FROM now() - min(o.created_at)), 0)::float8 FROM lanes AS l, LATERAL (
    SELECT created_at FROM outbox WHERE outbox.topic = l.topic AND outbox.partition = l.partition
      AND outbox.last_position > l.published ORDER BY outbox.last_position LIMIT 1) AS o
"""


def topic_family(topic: str) -> str:
    """The topic with its sender replaced by `*`: any part with a digit in it, other than the version."""
    parts = topic.split(".")
    return ".".join("*" if re.search(r"\d", p) and not re.fullmatch(r"v\d+", p) else p for p in parts)


class LaneMetrics:
    """What the lane loop reports, as metrics and log events."""

    def __init__(self, service: str, version: str = "0.1.0") -> None:
        BUILD.labels(service, version).set(1)
        self._lag: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
        self._oldest: dict[str, float] = {}
        self._stopped: set[tuple[object, object]] = set()
        self._shown: set[str] = set()
        self._looks = 0

    def batch(self, batch: Batch, seconds: float) -> None:
        """A batch was committed and published."""
        for (topic, outcome), count in batch.outcomes.items():
            MESSAGES.labels(topic_family(topic), outcome).inc(count)
        BATCH_SECONDS.observe(seconds)
        _set_up(broker=True, database=True)

    def lag(self, topic: str, messages: int, seconds: float) -> None:
        """One lane's lag; the lanes of a family are summed up until the next `look`."""
        family = topic_family(topic)
        waiting, oldest = self._lag[family]
        self._lag[family] = (waiting + messages, max(oldest, seconds))

    def oldest_s(self, family: str) -> float:
        """The age of the oldest message waiting in a family's lanes of this process, as last shown; 0: none waits."""
        return self._oldest.get(family, 0.0)

    def published(self, count: int) -> None:
        """Events were acknowledged by the broker."""
        PUBLISHED.inc(count)

    def transient(self, error: Transient) -> None:
        """Something was away, or a lane was taken over."""
        kind = _kind(error)
        TRANSIENT.labels(kind).inc()
        if kind == "lane_lost":
            FENCED.inc()
        elif kind in ("broker", "publish"):
            _set_up(broker=False)
        elif kind == "database":
            _set_up(database=False)
        reason = str(error.args[-1]) if error.args else ""
        logs.warn("transient", kind=kind, reason=reason)

    def event(self, name: str, **fields: object) -> None:
        """Something worth a line in the log."""
        if name == "lane_stopped":
            self._stopped.add((fields.get("topic"), fields.get("partition")))
            STOPPED.set(len(self._stopped))
        if name in ("lane_resumed", "lane_left"):
            self._stopped.discard((fields.get("topic"), fields.get("partition")))
            STOPPED.set(len(self._stopped))
        if name == "lanes_claimed":
            _set_up(broker=True, database=True)
        logs.log(name, **fields)

    async def look(self, pool: asyncpg.Pool[Any]) -> None:
        """Once a second: show the lag, and now and then ask the store what lies in it."""
        for family in self._shown | self._lag.keys():
            waiting, oldest = self._lag[family]
            LAG_MESSAGES.labels(family).set(waiting)
            LAG_SECONDS.labels(family).set(oldest)
            self._oldest[family] = oldest
        self._shown |= self._lag.keys()
        self._lag.clear()
        self._looks += 1
        if self._looks % LOOK_EVERY == 1:
            await _ask_store(pool)


async def _ask_store(pool: asyncpg.Pool[Any]) -> None:
    try:
        async with postgres.transaction(pool) as tx:
            OUTBOX_OLDEST.set(await tx.fetchval(OLDEST))
            PARKED.set(await tx.fetchval("SELECT count(*) FROM parked"))
    except Transient:
        _set_up(database=False)  # the loop tells it in the log
    else:
        _set_up(database=True)


def _kind(error: Transient) -> str:
    if isinstance(error, LaneLost):
        return "lane_lost"
    if isinstance(error, PublishFailed):
        return "publish"
    named = error.args[0] if error.args else ""
    return named if named in KINDS else "other"


def _set_up(broker: bool | None = None, database: bool | None = None) -> None:
    if broker is not None:
        UP.labels("broker").set(broker)
    if database is not None:
        UP.labels("database").set(database)
