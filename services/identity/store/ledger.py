"""Loads and saves what changes of links need: read only where links may change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.identity.domain.events import Event, NumberTaken
from services.identity.domain.ledger import Answer, Claimed, Judgement, Ledger, Mapped, Pair, Place
from services.identity.domain.order_events import OrderAnswered, ReviewClaimed, ReviewDecided, SubjectsJudged
from services.identity.domain.orders import Asked, ClaimAsked, DecideAsked, MergeAsked, UnmergeAsked
from services.identity.domain.records import RecordSeen
from services.identity.domain.subject_events import MappingStands
from services.identity.domain.terms import MAPPING

NUMBER = "SELECT number FROM link_number"
MAPPINGS = """
SELECT record_id, alias_id, subject_id, kind, code FROM mappings
WHERE record_id = ANY($1::bytea[]) OR alias_id = ANY($2::bytea[]) OR alias_id IN (
    SELECT alias_id FROM mappings WHERE record_id = ANY($1::bytea[]))
"""
TREES = """
WITH RECURSIVE tree AS (
    SELECT unnest($1::bytea[]) AS subject_id
    UNION SELECT s.subject_id FROM subjects AS s JOIN tree ON s.merged_into = tree.subject_id)
SELECT subject_id FROM tree
"""
# There is no index of links by subject: it would cost every record that is linked, and merges are rare. All are read.
WHOLE = "SET LOCAL enable_seqscan = on"
MEMBERS = "SELECT subject_id, record_id FROM record_links WHERE subject_id = ANY($1::bytea[])"
JUDGEMENTS = """
SELECT number, verdict, one, other, issued_by, reason, judged_at FROM judgements
WHERE one = ANY($1::bytea[]) OR other = ANY($1::bytea[]) ORDER BY number
"""
ANSWERED = "SELECT command_id, faults, detail FROM answered WHERE command_id = ANY($1::text[])"
CLAIMS = """
SELECT record_id, version, claimed_by, claimed_until, proposed_by, proposed FROM reviews
WHERE state = 'WAITING' AND record_id = ANY($1::bytea[])
"""

COUNT = "UPDATE link_number SET number = $1"
MAP = """
INSERT INTO mappings (record_id, alias_id, subject_id, kind, code)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::text[])
ON CONFLICT (record_id) DO UPDATE SET alias_id = excluded.alias_id, subject_id = excluded.subject_id,
    kind = excluded.kind, code = excluded.code
"""
UNMAP = "DELETE FROM mappings WHERE record_id = ANY($1::bytea[])"
JUDGE = """
INSERT INTO judgements (number, verdict, one, other, issued_by, reason, judged_at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[], $5::text[], $6::text[], $7::bigint[])
"""
CLAIM = """
UPDATE reviews SET claimed_by = $3, claimed_until = $4, proposed_by = $5, proposed = $6
WHERE state = 'WAITING' AND record_id = $1 AND version = $2
"""
DECIDE = """
INSERT INTO decisions (command_id, record_id, version, decision, subject_id, carried_out, issued_by, reason, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
ANSWER = "INSERT INTO answered (command_id, faults, detail) VALUES ($1, $2, $3)"


async def load(tx: Transaction, seen: Sequence[RecordSeen], orders: Sequence[Asked]) -> Ledger:
    """For a batch that is alone in the store."""
    mappings = await _mappings(tx, seen)
    ledger = Ledger(await tx.fetchval(NUMBER), mappings)
    if not orders:
        return ledger
    subjects = [row["subject_id"] for row in await tx.fetch(TREES, sorted(named(orders)))]
    found = await tx.fetch(ANSWERED, sorted({given.order.command_id for given in orders}))
    return ledger._replace(
        newest=await _judgements(tx, subjects),
        members=await _members(tx, subjects) if any(isinstance(g, MergeAsked | UnmergeAsked) for g in orders) else {},
        claims=await _claims(tx, {g.record_id for g in orders if isinstance(g, ClaimAsked | DecideAsked)}),
        answered={row["command_id"]: Answer(_split(row["faults"]), row["detail"]) for row in found},
    )


def named(orders: Iterable[Asked]) -> set[bytes]:
    """The subjects that orders name."""
    found: set[bytes | None] = set()
    for given in orders:
        if isinstance(given, MergeAsked | UnmergeAsked):
            found |= {given.into, given.gone}
        elif isinstance(given, DecideAsked):
            found.add(given.subject_id)
        elif not isinstance(given, ClaimAsked):
            found |= {given.one, given.other}
    return {one for one in found if one}


async def _mappings(tx: Transaction, seen: Sequence[RecordSeen]) -> dict[bytes, Mapped]:
    records = sorted({one.record_id for one in seen if one.item == MAPPING})
    if not records:
        return {}
    codes = sorted({claim.alias.id for one in seen for claim in one.claims})
    rows = await tx.fetch(MAPPINGS, records, codes)
    return {r["record_id"]: Mapped(r["alias_id"], r["subject_id"], r["kind"], r["code"]) for r in rows}


async def _judgements(tx: Transaction, subjects: Sequence[bytes]) -> dict[Pair, Judgement]:
    found = [Judgement(*row.values()) for row in await tx.fetch(JUDGEMENTS, subjects)]
    return {frozenset((one.one, one.other)): one for one in found}  # the last one stands


async def _members(tx: Transaction, subjects: Sequence[bytes]) -> dict[bytes, frozenset[bytes]]:
    await tx.execute(WHOLE)
    found: dict[bytes, set[bytes]] = {}
    for row in await tx.fetch(MEMBERS, subjects):
        found.setdefault(row["subject_id"], set()).add(row["record_id"])
    return {subject_id: frozenset(records) for subject_id, records in found.items()}


async def _claims(tx: Transaction, record_ids: Collection[bytes]) -> dict[Place, Claimed]:
    rows = await tx.fetch(CLAIMS, sorted(record_ids)) if record_ids else ()
    return {
        (r["record_id"], r["version"]): Claimed(
            r["claimed_by"], r["claimed_until"] or 0, r["proposed_by"], r["proposed"]
        )
        for r in rows
    }


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


RARE = (NumberTaken, MappingStands, SubjectsJudged, ReviewClaimed, ReviewDecided, OrderAnswered)


async def save(tx: Transaction, after: Mapping[bytes, Any], events: Sequence[tuple[bytes, Event]]) -> None:
    """Write what these events say; nearly every batch has none of them."""
    rare = [(key, event) for key, event in events if isinstance(event, RARE)]
    if not rare:
        return
    await _save_mappings(tx, [event for _, event in rare if isinstance(event, MappingStands)])
    judged = sorted(event.judgement for _, event in rare if isinstance(event, SubjectsJudged))
    if judged:
        await tx.execute(JUDGE, *columns(judged))
    for key, event in rare:
        if isinstance(event, NumberTaken):
            await tx.execute(COUNT, event.number)
        elif isinstance(event, ReviewClaimed | ReviewDecided):
            await _save_review(tx, after[key].ledger, event)
        elif isinstance(event, OrderAnswered) and not event.again:
            await tx.execute(ANSWER, event.order.command_id, ",".join(event.faults), event.detail)


async def _save_mappings(tx: Transaction, events: Sequence[MappingStands]) -> None:
    last = {event.record_id: event.mapped for event in events}
    if rows := sorted((record_id, *mapped) for record_id, mapped in last.items() if mapped is not None):
        await tx.execute(MAP, *columns(rows))
    if gone := sorted(record_id for record_id, mapped in last.items() if mapped is None):
        await tx.execute(UNMAP, gone)


async def _save_review(tx: Transaction, ledger: Ledger, event: ReviewClaimed | ReviewDecided) -> None:
    claim = ledger.claims[event.record_id, event.version]
    until = claim.until_ms or None
    await tx.execute(CLAIM, event.record_id, event.version, claim.by, until, claim.proposed_by, claim.proposed)
    if isinstance(event, ReviewDecided):
        order = event.order
        what = (event.record_id, event.version, event.decision, event.subject_id, event.carried_out)
        await tx.execute(DECIDE, order.command_id, *what, order.by, order.reason, order.at_ms)
