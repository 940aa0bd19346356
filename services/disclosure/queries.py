"""SQL for reading what may be shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import asyncpg

from services.chassis import postgres
from services.chassis.handling import Transaction
from services.disclosure.domain.inquiry import SubjectKey
from services.disclosure.domain.terms import Feed

PAGE = 100
PAGE_LIMIT = 500
RECORD_TOPIC = "credit.identity.record.v1"

# One picture for the whole answer: records, counts and positions belong together.
SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
AS_OF = "SELECT topic, partition, next_offset FROM lanes WHERE topic = $1 AND next_offset >= 0 ORDER BY partition"
SEQS = "SELECT subject_id, {feed}_seq AS seq FROM subject_files WHERE subject_id = ANY($1::bytea[])"
RECORDS = """
SELECT record_id, version, item, item_version, agency, submission_id, decided_on, accepted_at, changed_at, fields
FROM disclosed_records WHERE subject_id = $1 AND in_{feed} AND record_id > $2 ORDER BY record_id LIMIT $3
"""


# One statement, so one picture again: where the lanes stood (as question 0), then what each question finds. A code may
# be claimed by two subjects: then there are two rows. Nested loops by key: the plan does not grow with the store.
LOOK_UP = """
WITH asked AS (
    SELECT a.n, a.kind, a.code, a.subject_id
    FROM unnest($1::text[], $2::text[], $3::bytea[]) WITH ORDINALITY AS a (kind, code, subject_id, n)
), named AS (
    SELECT a.n, a.subject_id FROM asked AS a WHERE a.subject_id IS NOT NULL
    UNION ALL
    SELECT a.n, c.subject_id FROM asked AS a JOIN subject_codes AS c ON c.code = a.code AND c.kind = a.kind
)
SELECT 0 AS n, NULL AS subject_id, NULL AS kind, NULL AS name, NULL AS code_kinds, NULL AS codes, NULL AS records,
    NULL AS seq, NULL AS merged_into, l.topic, l.partition, l.next_offset
FROM lanes AS l WHERE l.topic = $4 AND l.next_offset >= 0
UNION ALL
SELECT named.n, named.subject_id, s.kind, s.name, s.code_kinds, s.codes, r.records, f.{feed}_seq, s.merged_into,
    NULL, NULL, NULL
FROM named
LEFT JOIN subjects AS s ON s.subject_id = named.subject_id
LEFT JOIN subject_files AS f ON f.subject_id = named.subject_id
CROSS JOIN LATERAL (
    SELECT count(*) AS records FROM disclosed_records AS d WHERE d.subject_id = named.subject_id AND d.in_{feed}
) AS r
WHERE s.subject_id IS NOT NULL OR r.records > 0
"""


MERGED = "SELECT merged_into FROM subjects WHERE subject_id = $1"
MERGES_LIMIT = 16  # one after the other; identity lets no circle arise


class SubjectRow(NamedTuple):
    """A subject as one channel sees it."""

    subject_id: bytes
    kind: str
    name: str | None
    codes: tuple[tuple[str, str], ...]
    records: int
    seq: int
    merged_into: bytes | None = None


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool[Any]) -> AsyncGenerator[Transaction]:
    """A reading transaction that sees one moment."""
    async with postgres.transaction(pool) as tx:
        await tx.execute(SNAPSHOT)
        yield tx


async def as_of(tx: Transaction) -> Sequence[Any]:
    """How far the linked records have been applied, by partition."""
    return await tx.fetch(AS_OF, RECORD_TOPIC)


async def look_up(
    tx: Transaction, feed: Feed, keys: Sequence[SubjectKey]
) -> tuple[list[list[SubjectRow]], Sequence[Any]]:
    """For each key those whom it names and of whom there is a card, or a record that this channel may see; `as_of`.

    For one that was merged stands who it was merged into, as of the moment after.
    """
    found, as_of = await _named(tx, feed, keys)
    return await _standing(tx, feed, found), as_of


async def _standing(tx: Transaction, feed: Feed, found: list[list[SubjectRow]]) -> list[list[SubjectRow]]:
    for _ in range(MERGES_LIMIT):
        merged = sorted({row.merged_into for rows in found for row in rows if row.merged_into is not None})
        if not merged:
            break
        into = dict(zip(merged, (await _named(tx, feed, merged))[0], strict=True))
        stands = [
            [one for row in rows for one in (into[row.merged_into] if row.merged_into else [row])] for rows in found
        ]
        found = [list({row.subject_id: row for row in rows}.values()) for rows in stands]
    return found


async def standing_for(tx: Transaction, subject_id: bytes) -> bytes:
    """Who stands for this subject: itself, or whom it was merged into."""
    for _ in range(MERGES_LIMIT):
        into = await tx.fetchval(MERGED, subject_id)
        if into is None:
            break
        subject_id = into
    return subject_id


async def _named(
    tx: Transaction, feed: Feed, keys: Sequence[SubjectKey]
) -> tuple[list[list[SubjectRow]], Sequence[Any]]:
    codes = [key if isinstance(key, tuple) else (None, None) for key in keys]
    ids = [key if isinstance(key, bytes) else None for key in keys]
    rows: Sequence[Any] = await tx.fetch(
        LOOK_UP.format(feed=feed), [kind for kind, _ in codes], [code for _, code in codes], ids, RECORD_TOPIC
    )
    found: list[list[SubjectRow]] = [[] for _ in keys]
    for row in rows:
        if number := int(row["n"]):
            found[number - 1].append(_subject(row))
    return found, sorted((row for row in rows if not row["n"]), key=lambda row: row["partition"])


def _subject(row: Any) -> SubjectRow:
    codes = tuple(zip(row["code_kinds"] or (), row["codes"] or (), strict=True))
    told = (row["kind"] or "", row["name"], codes, row["records"], row["seq"] or 0)
    return SubjectRow(row["subject_id"], *told, row["merged_into"])


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


# What reconciliation compares (chassis/digest.py); standings do not know their items.
DIGESTS = {
    "standing": "SELECT record_id, version, '' AS item FROM record_standing WHERE version > 0 AND NOT nobodys",
    "shown": "SELECT record_id, version, item FROM disclosed_records",
}
