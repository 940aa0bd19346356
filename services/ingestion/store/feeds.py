"""Counts of feeds and what is expected of them: one statement a batch each way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.ingestion.domain.expectation import Expectation, FeedKey
from services.ingestion.domain.feed import Counts, Place
from services.ingestion.domain.silence import Expected

# In the order of the key. Only the lane's owner writes its rows, so the sums are those of what it has answered.
ADD = """
INSERT INTO feeds AS f (day, agency, item, partition, accepted, duplicate, refused, late_unit, late_agency, first_at,
    last_at, earliest_decided)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::int[])
ON CONFLICT (day, agency, item, partition) DO UPDATE SET accepted = f.accepted + excluded.accepted,
    duplicate = f.duplicate + excluded.duplicate, refused = f.refused + excluded.refused,
    late_unit = f.late_unit + excluded.late_unit, late_agency = f.late_agency + excluded.late_agency,
    first_at = least(f.first_at, excluded.first_at), last_at = greatest(f.last_at, excluded.last_at),
    earliest_decided = least(f.earliest_decided, excluded.earliest_decided)
"""
LOAD = """
SELECT e.agency, e.item, e.records, e.days, e.since, e.commands
FROM unnest($1::text[], $2::text[]) AS u (agency, item), LATERAL (
    SELECT * FROM feed_expectations WHERE feed_expectations.agency = u.agency AND feed_expectations.item = u.item
    LIMIT 1 FOR UPDATE) AS e
"""
SAVE = """
INSERT INTO feed_expectations (agency, item, records, days, since, commands) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (agency, item) DO UPDATE SET records = excluded.records, days = excluded.days, since = excluded.since,
    commands = excluded.commands
"""


async def add(tx: Transaction, counted: Mapping[Place, Counts]) -> None:
    """Add the counts of a batch."""
    if counted:
        await tx.execute(ADD, *columns([(*place, *counts) for place, counts in sorted(counted.items())]))


async def load_expectations(tx: Transaction, keys: Sequence[FeedKey]) -> dict[FeedKey, Expectation]:
    """What stands of these feeds, locked in order."""
    wanted = sorted(set(keys))
    rows = await tx.fetch(LOAD, [agency for agency, _ in wanted], [item for _, item in wanted])
    return {
        (agency, item): Expectation(Expected(records, days, since), tuple(commands))
        for agency, item, records, days, since, commands in rows
    }


async def save_expectations(tx: Transaction, after: Mapping[FeedKey, Expectation]) -> None:
    """Write what is expected from now on."""
    for key, state in sorted(after.items()):
        if state.expected is not None:
            await tx.execute(SAVE, *key, *state.expected, list(state.commands))
