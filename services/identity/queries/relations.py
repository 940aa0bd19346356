"""Who holds, and held, an office in an organisation. The question names the organisation; none begins with a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.chassis.handling import Transaction
from services.identity.domain.relations import Kept, Relation, Told, tell

LIMIT = 1000  # the youngest; more is no organisation's
DEPTH = 16  # of merges, as `Explain` shows them

# The offices of everybody for whom the same subject stands; of an erased person nothing, whenever the row was written.
OF = """
WITH RECURSIVE above AS (
    SELECT $1::bytea AS subject_id, 0 AS depth
    UNION ALL SELECT s.merged_into, above.depth + 1 FROM above JOIN subjects AS s USING (subject_id)
    WHERE s.merged_into IS NOT NULL AND above.depth < $3),
tree AS (
    (SELECT subject_id FROM above ORDER BY depth DESC LIMIT 1)
    UNION SELECT s.subject_id FROM subjects AS s JOIN tree ON s.merged_into = tree.subject_id)
SELECT r.record_id, r.ended_as, r.ended_by, r.ended_at,
    r.version, r.organisation, r.role, r.name_digest, r.person_id, r.said_at, r.item, r.agency
FROM tree JOIN relations AS r ON r.organisation = tree.subject_id
WHERE NOT EXISTS (SELECT FROM erasures AS e WHERE e.subject_id = r.person_id)
ORDER BY r.said_at DESC, r.record_id DESC, r.version DESC LIMIT $2
"""


async def of(tx: Transaction, subject_id: bytes) -> Sequence[Told]:
    """The relations of an organisation and of all that are merged with it, the youngest first."""
    rows = await tx.fetch(OF, subject_id, LIMIT, DEPTH)
    return tell(Kept(record_id, Relation(*said), *ended) for record_id, *ended, said in map(_apart, rows))


def _apart(row: Any) -> tuple[Any, ...]:
    found = tuple(row)
    return (*found[:4], found[4:])
