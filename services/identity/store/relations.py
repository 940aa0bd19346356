"""Loads and saves what records say of offices: a batch without such a record asks and writes nothing here.

A relation is a row of its record, so who may write it is who may write the record's link: no further lock is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.bulk import columns
from services.chassis.handling import Transaction
from services.identity.domain.cluster import Record
from services.identity.domain.events import Event, RelationBegan, RelationEnded
from services.identity.domain.records import RecordSeen
from services.identity.domain.relations import ROLE_OF, Relation

OPEN = """
SELECT record_id, version, organisation, role, name_digest, person_id, said_at, item, agency FROM relations
WHERE record_id = ANY($1::bytea[]) AND ended_as IS NULL ORDER BY record_id
"""
# A version may say again what it had said before its record lost its link. Nothing is kept of a person who was erased
# while the record was under way.
BEGIN = """
INSERT INTO relations (record_id, version, organisation, role, name_digest, person_id, said_at, item, agency)
SELECT new.* FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::text[], $5::bytea[], $6::bytea[], $7::bigint[],
    $8::text[], $9::text[])
    AS new (record_id, version, organisation, role, name_digest, person_id, said_at, item, agency)
WHERE NOT EXISTS (SELECT FROM erasures WHERE subject_id = new.person_id)
ON CONFLICT (record_id, version) DO UPDATE SET organisation = excluded.organisation, role = excluded.role,
    name_digest = excluded.name_digest, person_id = excluded.person_id, said_at = excluded.said_at,
    ended_as = NULL, ended_by = NULL, ended_at = NULL
"""
# What was corrected says still whether the name changed; of what was taken back nothing of anybody stays.
END = """
UPDATE relations AS old SET ended_as = new.ended_as, ended_by = new.ended_by, ended_at = new.ended_at,
    name_digest = CASE WHEN new.ended_as = 'CORRECTED' THEN old.name_digest END,
    person_id = CASE WHEN new.ended_as = 'CORRECTED' THEN old.person_id END
FROM unnest($1::bytea[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
    AS new (record_id, version, ended_as, ended_by, ended_at)
WHERE old.record_id = new.record_id AND old.version = new.version
"""
EVENTS = frozenset({RelationBegan, RelationEnded})


async def load(tx: Transaction, given: Iterable[RecordSeen], known: Mapping[bytes, Record]) -> dict[bytes, Record]:
    """The records that say something of an office, with it; asked only of those that may and were linked before."""
    may = {one.record_id for one in given if one.item in ROLE_OF}
    wanted = sorted(one for one in may if one in known and known[one].link is not None)
    if not wanted:
        return {}
    rows = await tx.fetch(OPEN, wanted)
    return {record_id: known[record_id]._replace(relation=Relation(*rest)) for record_id, *rest in rows}


async def save(tx: Transaction, events: Sequence[tuple[bytes, Event]]) -> None:
    """The last word about each version counts."""
    begun: dict[tuple[bytes, int], RelationBegan] = {}
    ended: dict[tuple[bytes, int], RelationEnded] = {}
    for _, event in events:
        if isinstance(event, RelationBegan):
            place = event.record_id, event.relation.version
            begun[place] = event
            ended.pop(place, None)
        elif isinstance(event, RelationEnded):
            ended[event.record_id, event.version] = event
    if begun:
        await tx.execute(BEGIN, *columns((record_id, *begun[record_id, v].relation) for record_id, v in sorted(begun)))
    if ended:
        rows = sorted((*place, event.ended_as, event.ended_by, event.at_ms) for place, event in ended.items())
        await tx.execute(END, *columns(rows))
