"""The review list: which versions wait there, and which a person took out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.chassis.handling import Transaction
from services.identity.domain.codes import Reference
from services.identity.domain.events import Held, RecordSeen
from services.identity.domain.neighbours import naming
from services.identity.store.found import ReadHeld

HELD = """
WITH asked AS (
    SELECT unnest($1::bytea[]) AS record_id
    UNION SELECT record_id FROM reviews WHERE state = 'WAITING' AND alias_id = ANY($2::bytea[]))
SELECT record_id, version, reason, alias_id, item, agency, accepted, link_no FROM reviews JOIN asked USING (record_id)
WHERE state = 'WAITING' ORDER BY record_id, version
"""
REJECTED = """
SELECT record_id, max(version) AS version, max(link_no) AS link_no FROM reviews
WHERE state = 'REJECTED' AND record_id = ANY($1::bytea[]) GROUP BY record_id ORDER BY record_id
"""
NOBODY = Reference("", "", b"", "CODE_KIND_UNKNOWN")


async def load_queues(
    tx: Transaction,
    given: Sequence[RecordSeen],
    read_held: ReadHeld,
    freed: Collection[bytes],
    reviewed: Collection[bytes],
) -> dict[bytes, tuple[Held, ...]]:
    """The queues in review: of these records, and of all that wait for a code or a name that these bring."""
    brought = {claim.alias.id for one in given for claim in one.claims} | naming(given) | set(freed)
    rows = await tx.fetch(HELD, list({*(one.record_id for one in given), *reviewed}), list(brought))
    kept = [row for row in rows if row["accepted"] is not None]
    read = {(one.record_id, one.version): one for one in await read_held([row["accepted"] for row in kept])}
    queues: dict[bytes, list[Held]] = defaultdict(list)
    for row in rows:
        seen = read.get((row["record_id"], row["version"])) or _person(row)
        queues[row["record_id"]].append(Held(seen, row["reason"], row["alias_id"], row["link_no"]))
    return {record_id: tuple(queue) for record_id, queue in queues.items()}


def _person(row: Mapping[str, Any]) -> RecordSeen:
    """A version about a person, of which the bytes were not kept: it can only wait or be superseded."""
    names = (row["record_id"], row["version"], row["item"], "report", row["agency"])
    return RecordSeen(*names, "person", NOBODY, "", 0, 0, b"", 0)
