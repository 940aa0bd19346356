"""SQL for reading what may be shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg

from services.chassis import postgres
from services.chassis.handling import Transaction
from services.disclosure.domain.terms import Feed

PAGE = 100
PAGE_LIMIT = 500
RECORD_TOPIC = "credit.identity.record.v1"

# One picture for the whole answer: records, counts and positions belong together.
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
AS_OF = "SELECT topic, partition, next_offset FROM lanes WHERE topic = $1 AND next_offset >= 0 ORDER BY partition"
BY_CODE = """
SELECT c.kind, c.code, c.subject_id FROM subject_codes AS c
JOIN unnest($1::text[], $2::text[]) AS asked (kind, code) ON c.code = asked.code AND c.kind = asked.kind
"""
CARDS = "SELECT subject_id, kind, name, code_kinds, codes FROM subjects WHERE subject_id = ANY($1::bytea[])"
COUNTED = """
SELECT subject_id, count(*) AS records FROM disclosed_records
WHERE subject_id = ANY($1::bytea[]) AND in_{feed} GROUP BY subject_id
"""
SEQS = "SELECT subject_id, {feed}_seq AS seq FROM subject_files WHERE subject_id = ANY($1::bytea[])"
RECORDS = """
SELECT record_id, version, item, item_version, agency, submission_id, decided_on, accepted_at, changed_at, fields
FROM disclosed_records WHERE subject_id = $1 AND in_{feed} AND record_id > $2 ORDER BY record_id LIMIT $3
"""


class SubjectRow(NamedTuple):
    """A subject as one channel sees it."""

    subject_id: bytes
    kind: str
    name: str | None
    codes: tuple[tuple[str, str], ...]
    records: int
    seq: int


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool[Any]) -> AsyncGenerator[Transaction]:
    """A reading transaction that sees one moment."""
    async with postgres.transaction(pool) as tx:
        await tx.execute(SNAPSHOT)
        yield tx


async def as_of(tx: Transaction) -> Sequence[Any]:
    """How far the linked records have been applied, by partition."""
    return await tx.fetch(AS_OF, RECORD_TOPIC)


async def by_code(tx: Transaction, asked: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[bytes]]:
    """The subjects that each of these (kind, code) names."""
    wanted = sorted(set(asked))
    found: dict[tuple[str, str], list[bytes]] = {}
    if wanted:
        for row in await tx.fetch(BY_CODE, [kind for kind, _ in wanted], [code for _, code in wanted]):
            found.setdefault((row["kind"], row["code"]), []).append(row["subject_id"])
    return found


async def subjects(tx: Transaction, feed: Feed, subject_ids: Iterable[bytes]) -> dict[bytes, SubjectRow]:
    """Those of whom there is a card, or a record that this channel may see."""
    ids = sorted(set(subject_ids))
    cards = {row["subject_id"]: row for row in await tx.fetch(CARDS, ids)}
    counted = {row["subject_id"]: row["records"] for row in await tx.fetch(COUNTED.format(feed=feed), ids)}
    seqs = {row["subject_id"]: row["seq"] for row in await tx.fetch(SEQS.format(feed=feed), ids)}
    return {i: _subject(i, cards.get(i), counted.get(i, 0), seqs.get(i, 0)) for i in cards.keys() | counted.keys()}


def _subject(subject_id: bytes, card: Mapping[str, Any] | None, records: int, seq: int) -> SubjectRow:
    if card is None:
        return SubjectRow(subject_id, "", None, (), records, seq)
    codes = tuple(zip(card["code_kinds"], card["codes"], strict=True))
    return SubjectRow(subject_id, card["kind"], card["name"], codes, records, seq)


async def records(tx: Transaction, feed: Feed, subject_id: bytes, after: bytes, limit: int) -> Sequence[Any]:
    """One page of a subject's records, in the order of their ids."""
    return await tx.fetch(RECORDS.format(feed=feed), subject_id, after, limit)


async def seq(tx: Transaction, feed: Feed, subject_id: bytes) -> int:
    """The last change of this subject on this channel's feed."""
    rows = await tx.fetch(SEQS.format(feed=feed), [subject_id])
    return rows[0]["seq"] if rows else 0


def page_size(asked: int) -> int:
    """What is asked for, within bounds."""
    return min(asked, PAGE_LIMIT) if asked > 0 else PAGE


# What reconciliation compares (chassis/digest.py). `$1` names items; standings do not know theirs.
DIGESTS = {
    "standing": "SELECT record_id, version FROM record_standing WHERE $1::text[] IS NULL",
    "shown": "SELECT record_id, version FROM disclosed_records WHERE $1::text[] IS NULL OR item = ANY($1)",
}
