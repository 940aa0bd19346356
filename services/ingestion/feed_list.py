"""`python -m services.ingestion feeds`: every feed with its counts, rates and silence, as JSON lines."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any

from services.chassis import clock, logs
from services.chassis.errors import Transient
from services.chassis.rebuilding import snapshot
from services.chassis.settings import Settings
from services.ingestion import queries
from services.ingestion.domain import feed
from services.ingestion.domain.envelope import china_day
from services.ingestion.domain.expectation import FeedKey
from services.ingestion.domain.feed import Counts
from services.ingestion.domain.punctuality import EPOCH, Day
from services.ingestion.domain.silence import Expected, pulse

SHOWN_DAYS = 100
COUNTED = ("submitted", "accepted", "duplicate", "refused", "late_unit", "late_agency")


def say() -> None:
    """The step; ends the process with one line and exit code 1 while the database is away."""
    settings = Settings.from_environment()
    logs.configure(settings)
    try:
        asyncio.run(_say(settings))
    except Transient as trouble:
        raise SystemExit(f"{settings.service}: {trouble.args[0]} is away; start it and try again") from None


async def _say(settings: Settings) -> None:
    now = clock.now_ms()
    today = china_day(now)
    async with snapshot(settings) as tx:
        rows, first = await queries.feeds(tx, today - SHOWN_DAYS, today + 1), await queries.first_seen(tx)
        expected = await queries.expectations(tx)
    for told in told_of(feed.summed(rows), first, expected, now, today):
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")


def told_of(
    feeds: Mapping[FeedKey, Mapping[Day, Counts]],
    first: Mapping[FeedKey, int],
    expected: Mapping[FeedKey, Expected],
    now: int,
    today: Day,
) -> Iterable[dict[str, Any]]:
    """One object for each feed that has ever sent, or of which something is expected; in the order of their keys."""
    for key in sorted(first.keys() | expected.keys()):
        days, said = feeds.get(key, {}), expected.get(key)
        found = pulse(days, said, today)
        whole = reduce(feed.added, days.values(), Counts())
        yield {
            "agency": key[0],
            "item": key[1],
            "first_seen": _moment(first.get(key)),
            "last_seen": _moment(whole.last_at or None),
            "age_s": (now - whole.last_at) // 1000 if whole.last_at else None,
            "expected": f"{said.records} in {said.days} working days" if said else None,
            "usual_per_working_day": found.usual,
            "quiet_working_days": found.quiet,
            "missing": found.missing,
            "silent": found.silent,
            **{name: getattr(whole, name) for name in COUNTED},
            "duplicate_rate": _share(whole.duplicate, whole.submitted),
            "refused_rate": _share(whole.refused, whole.submitted),
            "late_rate": _share(whole.late_agency, whole.accepted),
            "days": [
                {"day": date.fromordinal(day + EPOCH).isoformat(), **{name: getattr(counts, name) for name in COUNTED}}
                for day, counts in sorted(days.items())
            ],
        }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
