"""Counts how well agencies name their subjects: one statement a batch, the last of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.events import Event, RecordHeld, RecordLinked
from services.identity.domain.records import RecordSeen

BEIJING = timezone(timedelta(hours=8))
SHARDS = 16
UNMAPPED, WRONG, DUPLICATE = range(1, 4)
FAULTY = {
    "CODE_UNKNOWN": UNMAPPED,
    "CODE_MALFORMED": WRONG,
    "CODE_PLACEHOLDER": WRONG,
    "CODE_KIND_UNKNOWN": WRONG,
    "CODE_AMBIGUOUS": DUPLICATE,
    "ALIAS_CONFLICT": DUPLICATE,
}
# Rows in the order of their key: two batches of one shard cannot wait for each other.
ADD = """
INSERT INTO code_rates (agency, month, shard, checked, unmapped, wrong, duplicate)
SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
ON CONFLICT (agency, month, shard) DO UPDATE SET checked = code_rates.checked + excluded.checked,
    unmapped = code_rates.unmapped + excluded.unmapped, wrong = code_rates.wrong + excluded.wrong,
    duplicate = code_rates.duplicate + excluded.duplicate
"""

Rates = dict[str, list[int]]  # by agency: checked, unmapped, wrong, duplicate


def counted(before: Mapping[bytes, Cluster], events: Iterable[tuple[bytes, Event]]) -> Rates:
    """Of versions that came with this batch; what was in review before has been counted when it came."""
    found: Rates = {}
    for key, event in events:
        if isinstance(event, RecordLinked):
            if not event.released:
                _count(found, event.given, "")
        elif isinstance(event, RecordHeld) and not event.held.link_no:
            given = event.held.given
            if before[key].in_review(given.record_id, given.version) is None:
                _count(found, given, event.held.reason)
    return found


def _count(found: Rates, given: RecordSeen, reason: str) -> None:
    rates = found.get(given.agency)
    if rates is None:
        rates = found[given.agency] = [0, 0, 0, 0]
    rates[0] += 1
    if reason in FAULTY:
        rates[FAULTY[reason]] += 1


async def save(tx: Transaction, rates: Rates, events: Sequence[tuple[bytes, Event]]) -> None:
    """Add them to the month in which the batch was decided, under the shard of its first record: a replay does too."""
    if not rates:
        return
    first = next(event for _, event in events if isinstance(event, RecordLinked | RecordHeld))
    given = first.given if isinstance(first, RecordLinked) else first.held.given
    month = datetime.fromtimestamp(first.at_ms / 1000, UTC).astimezone(BEIJING).strftime("%Y-%m")
    shard = given.record_id[-1] % SHARDS
    rows: list[tuple[Any, ...]] = [(agency, month, shard, *counts) for agency, counts in sorted(rates.items())]
    await tx.execute(ADD, *columns(rows))
