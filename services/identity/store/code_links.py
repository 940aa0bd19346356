"""Records that another code than a USCC linked: kept for the day when that code is taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster
from services.identity.domain.events import RecordLinked
from services.identity.domain.records import RecordSeen
from services.identity.domain.terms import BY_PERSON
from services.identity.store.found import Found, ReadHeld
from services.identity.store.writing import Row, Told, write

LINKED_BY = "SELECT record_id, accepted FROM code_links WHERE alias_id = ANY($1::bytea[]) ORDER BY record_id"
LINKED_AS = "SELECT record_id, accepted FROM code_links WHERE record_id = ANY($1::bytea[]) ORDER BY record_id"
KEEP = """
INSERT INTO code_links (record_id, alias_id, version, accepted)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bytea[])
ON CONFLICT (record_id) DO UPDATE SET alias_id = excluded.alias_id, version = excluded.version,
    accepted = excluded.accepted
"""
FORGET = "DELETE FROM code_links WHERE record_id = ANY($1::bytea[])"


async def load_linked(
    tx: Transaction, found: Found, statement: str, wanted: Collection[bytes], read_held: ReadHeld
) -> list[RecordSeen]:
    """The newest linked versions of records that were not named by a USCC."""
    rows = await tx.fetch(statement, sorted(wanted)) if wanted else ()
    linked = list(await read_held([row["accepted"] for row in rows]))
    found.by_code |= {one.record_id: one for one in linked}
    return linked


async def load_by_person(tx: Transaction, found: Found, read_held: ReadHeld) -> None:
    """About which code a person decided, of the records that a person linked."""
    records = found.records
    wanted = [key for key, record in records.items() if record.link is not None and record.link.rule == BY_PERSON]
    await load_linked(tx, found, LINKED_AS, wanted, read_held)
    for record_id, by_code in found.by_code.items():
        if record_id in records and records[record_id].link is not None:
            records[record_id] = records[record_id]._replace(by_code=by_code)


async def save_codes(tx: Transaction, before: Mapping[bytes, Cluster], events: Told) -> None:
    """What was linked by anything but a USCC is kept, for when the code is taken back: such records are few."""
    last = {
        event.given.record_id: (key, event)
        for key, event in events
        if isinstance(event, RecordLinked) and (event.link.rule != "USCC" or event.given.version > 1)
    }
    keep: list[Row] = []
    forget: set[bytes] = set()
    for record_id, (key, event) in last.items():
        given, old = event.given, before[key].record(record_id).link
        named = given.named
        if event.link.rule != "USCC" and named.code and named.kind != "uscc" and not given.withdraws:
            keep.append((record_id, named.id, given.version, given.accepted))
        elif event.link.rule != "USCC" or (old is not None and old.rule != "USCC"):
            forget.add(record_id)
    await write(tx, KEEP, keep)
    if forget:
        await tx.execute(FORGET, sorted(forget))
