"""SQL for reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.chassis.handling import Transaction

PAGE = 100
PAGE_LIMIT = 500

ITEM = """
place, record_id, version, item, agency, state, reason, code_kind, alias_id, held_at, settled_at, claimed_by,
    claimed_until, accepted"""
SUBJECT = "SELECT subject_id, kind, name, version, codes FROM subjects WHERE subject_id = $1 AND version > 0"
ALIAS = "SELECT kind, subject_id, source, contested FROM aliases WHERE alias_id = $1"
# A page in the order of arrival. A row that commits late may appear behind the reader: it is in the count, and in the
# list when it is read again; what must not be missed is on the topics.
PAGE_OF_REVIEW = f"""
SELECT {ITEM} FROM reviews WHERE state = $1 AND place > $2 AND ($3 = '' OR reason = $3) AND ($5 = '' OR item = $5)
    AND ($6 = '' OR agency = $6) AND ($7 = '' OR position(convert_to($7, 'UTF8') IN accepted) > 0)
ORDER BY place LIMIT $4
"""  # noqa: S608 - made of constants
LINK = "SELECT subject_id, version, rule, evidence, linked_at FROM record_links WHERE record_id = $1"
REVIEWS_OF = f"SELECT {ITEM} FROM reviews WHERE record_id = $1 ORDER BY version LIMIT 1000"  # noqa: S608 - as above
COUNTS = "SELECT state, reason, count(*) AS versions FROM reviews GROUP BY state, reason ORDER BY state, reason"


def page_size(asked: int) -> int:
    """As many as asked for, within the limit."""
    return min(asked, PAGE_LIMIT) if asked > 0 else PAGE


async def subject(tx: Transaction, subject_id: bytes) -> Any | None:
    """A subject that is known."""
    return await tx.fetchrow(SUBJECT, subject_id)


async def alias(tx: Transaction, alias_id: bytes) -> Any | None:
    """Whose an old code is, and what brought it."""
    return await tx.fetchrow(ALIAS, alias_id)


RATES = """
SELECT agency, month, sum(checked)::bigint AS checked, sum(unmapped)::bigint AS unmapped, sum(wrong)::bigint AS wrong,
    sum(duplicate)::bigint AS duplicate
FROM code_rates WHERE $1 = '' OR month = $1 GROUP BY agency, month ORDER BY month, agency LIMIT 10000
"""


async def code_rates(tx: Transaction, month: str) -> Sequence[Any]:
    """How well agencies name their subjects, by month; empty: all months."""
    return await tx.fetch(RATES, month)


class Wanted(NamedTuple):
    """Of which versions in review a page is wanted; empty: of all that wait. A name is searched by a part of it."""

    state: str = ""
    reason: str = ""
    item: str = ""
    agency: str = ""
    name_part: str = ""


async def review_page(tx: Transaction, wanted: Wanted, after: int, size: int) -> Sequence[Any]:
    """One page of the review list, behind the position given."""
    state = wanted.state or "WAITING"
    return await tx.fetch(PAGE_OF_REVIEW, state, after, wanted.reason, size, *wanted[2:])


async def review_of(tx: Transaction, record_id: bytes) -> tuple[Any | None, Sequence[Any]]:
    """The link of a record and its versions in review."""
    return await tx.fetchrow(LINK, record_id), await tx.fetch(REVIEWS_OF, record_id)


async def review_counts(tx: Transaction) -> Sequence[Any]:
    """Versions by state and reason."""
    return await tx.fetch(COUNTS)


# What reconciliation compares (chassis/digest.py); links do not know their items. Few records wait: the join is of all
# with few. What waits goes no further, and neither does what is about somebody who was erased.
DIGESTS = {
    "known": """
        SELECT coalesce(l.record_id, w.record_id) AS record_id, greatest(l.version, w.version) AS version, '' AS item
        FROM record_links AS l FULL JOIN (
            SELECT record_id, max(version) AS version FROM reviews WHERE state IN ('WAITING', 'REJECTED')
            GROUP BY record_id
        ) AS w ON w.record_id = l.record_id""",
    "linked": "SELECT record_id, version, '' AS item FROM record_links",
    "waiting": """
        SELECT record_id, version, '' AS item FROM reviews WHERE state IN ('WAITING', 'REJECTED')
        UNION ALL
        SELECT l.record_id, l.version, '' FROM record_links AS l JOIN erasures AS e ON e.subject_id = l.subject_id""",
}
