"""The review list: which versions wait there, which waited, and how that ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.codes import Reference
from services.identity.domain.events import RecordHeld, RecordLinked, RecordOvertaken, RecordSuperseded
from services.identity.domain.neighbours import naming
from services.identity.domain.order_events import RecordRejected
from services.identity.domain.records import Held, RecordSeen
from services.identity.store.found import ReadHeld
from services.identity.store.writing import Row, Told, time_of

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
HOLD = """
INSERT INTO reviews (state, record_id, version, reason, alias_id, item, agency, code_kind, accepted, held_at, link_no)
SELECT 'WAITING', new.* FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::text[],
    $7::text[], $8::bytea[], $9::timestamptz[], $10::bigint[]) AS new
ON CONFLICT (state, record_id, version) DO UPDATE SET reason = excluded.reason, alias_id = excluded.alias_id
"""
SETTLE = """
UPDATE reviews AS old SET state = new.state, accepted = NULL, settled_at = new.at
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::timestamptz[]) AS new (record_id, version, state, at)
WHERE old.state = 'WAITING' AND old.record_id = new.record_id AND old.version = new.version
"""
# A version that waits again, whatever became of it before.
REOPEN = """
DELETE FROM reviews AS old USING unnest($1::bytea[], $2::bigint[]) AS again (record_id, version)
WHERE old.state <> 'WAITING' AND old.record_id = again.record_id AND old.version = again.version
"""
OVERTAKE = """
INSERT INTO reviews (state, record_id, version, reason, item, agency, code_kind, held_at, settled_at)
SELECT 'SUPERSEDED', new.record_id, new.version, 'OVERTAKEN', new.item, new.agency, new.code_kind, new.at, new.at
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
    AS new (record_id, version, item, agency, code_kind, at)
"""


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


def waiting(events: Told) -> Iterable[Row]:
    """The last reason counts. Of a person nothing is kept but that the record came: it lies in ingestion's journal."""
    last = {(e.held.given.record_id, e.held.given.version): e for _, e in events if isinstance(e, RecordHeld)}
    for (record_id, version), event in last.items():
        held, given = event.held, event.held.given
        accepted = None if given.subject_kind == "person" else given.accepted
        what = (held.reason, held.alias_id, given.item, given.agency, given.named.kind, accepted)
        yield record_id, version, *what, time_of(event.at_ms), held.link_no


def overtaken(events: Told) -> Iterable[Row]:
    """Versions that came when a newer one was linked already."""
    for _, event in events:
        if isinstance(event, RecordOvertaken):
            given = event.given
            what = (given.item, given.agency, given.named.kind)
            yield given.record_id, given.version, *what, time_of(event.at_ms)


def settled(after: Mapping[bytes, Cluster], events: Told) -> Iterable[Row]:
    """Versions that wait no more, and why: linked, superseded or rejected."""
    for key, event in events:
        if isinstance(event, RecordLinked) and event.released:
            if after[key].in_review(event.given.record_id, event.given.version):
                continue  # it was linked, and waits again since
            yield event.given.record_id, event.given.version, "LINKED", time_of(event.at_ms)
        elif isinstance(event, RecordSuperseded | RecordRejected):
            state = "SUPERSEDED" if isinstance(event, RecordSuperseded) else "REJECTED"
            yield event.record_id, event.version, state, time_of(event.at_ms)
