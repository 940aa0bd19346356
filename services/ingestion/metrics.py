"""Business metrics of ingestion, in one place; labels come from closed sets only.

They are counted while a batch is decided. A batch that is tried again after a fault counts again: they are for rates
and alerts, the exact figures are in the topics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from prometheus_client import Counter, Gauge

from services.ingestion.domain import open_terms
from services.ingestion.domain.feed import Counts
from services.ingestion.domain.punctuality import CHINA_MS, DAY_MS, NEVER, Day
from services.ingestion.domain.silence import Expected, pulse

RECEIPTS = Counter("credit_ingestion_receipts_total", "Receipts by outcome and item", ["outcome", "item"])
FAULTS = Counter("credit_ingestion_faults_total", "Faults and notes stated in receipts", ["code"])
CALENDAR = Gauge("credit_calendar_days_left", "Days until the last day the working-day calendar knows")
AGENCIES = Gauge("credit_ingestion_agencies", "Registered agencies")
DOOR = Counter("credit_ingestion_door_calls_total", "Calls at the gRPC door by how they ended", ["method", "outcome"])
EDITIONS = Gauge("credit_ingestion_catalogue_editions", "Published editions of catalogue items")

LATE = Counter(
    "credit_ingestion_late_total", "Accepted reports by the hop that was late: unit, agency", ["agency", "item", "hop"]
)
FEED_AGE = Gauge("credit_ingestion_feed_age_seconds", "Since the last submission of a feed", ["agency", "item"])
FEED_SILENT = Gauge(
    "credit_ingestion_feed_silent", "1 while a feed sends nothing against its usual", ["agency", "item"]
)
FEED_MISSING = Gauge(
    "credit_ingestion_feed_missing_records", "What a feed would have sent in its quiet working days", ["agency", "item"]
)
PUBLIC_DUE = Gauge(
    "credit_ingestion_public_due_timestamp_seconds",
    "When the first of what was accepted so many days ago must be public",
    ["accepted"],
)
ACCEPTED_LAST = Gauge(
    "credit_ingestion_accepted_last_timestamp_seconds", "The last answer of so many days ago", ["accepted"]
)
INTAKE_DUE = Gauge(
    "credit_ingestion_intake_due_timestamp_seconds",
    "When the oldest submission without a receipt must have been handled",
)

hop_late = cache(LATE.labels)
receipt_given = cache(RECEIPTS.labels)  # a child is looked up under a lock: once for each pair, not for each receipt
fault_stated = cache(FAULTS.labels)
door_answered = cache(DOOR.labels)


def show_feeds(
    feeds: Mapping[tuple[str, str], Mapping[Day, Counts]],
    expected: Mapping[tuple[str, str], Expected],
    now: int,
    today: Day,
) -> None:
    """Show every feed that has sent something or is expected to, and what must be public of each day's records."""
    for gauge in (FEED_AGE, FEED_SILENT, FEED_MISSING, PUBLIC_DUE, ACCEPTED_LAST):
        gauge.clear()
    for key in sorted(feeds.keys() | expected.keys()):
        days = feeds.get(key, {})
        found = pulse(days, expected.get(key), today)
        FEED_SILENT.labels(*key).set(found.silent)
        FEED_MISSING.labels(*key).set(found.missing or 0)
        if days:
            FEED_AGE.labels(*key).set((now - max(counts.last_at for counts in days.values())) / 1000)
    for day, found in open_terms.read(feeds).items():
        ago = str(today - day)
        PUBLIC_DUE.labels(ago).set(ends_at(found.due_on))
        ACCEPTED_LAST.labels(ago).set(found.last_at / 1000)


def show_intake(due_on: Day) -> None:
    """Show until when the oldest unanswered submission may wait; nothing, where the calendar has no such year."""
    INTAKE_DUE.set(ends_at(due_on) if due_on < NEVER else math.nan)


def ends_at(day: Day) -> float:
    """The end of a day in China, in seconds since 1970."""
    return ((day + 1) * DAY_MS - CHINA_MS) / 1000
