"""Records that another code than a USCC linked: kept for the day when that code is taken back."""

from __future__ import annotations

from collections.abc import Collection

from services.chassis.handling import Transaction
from services.identity.domain.events import RecordSeen
from services.identity.domain.terms import BY_PERSON
from services.identity.store.found import Found, ReadHeld

LINKED_BY = "SELECT record_id, accepted FROM code_links WHERE alias_id = ANY($1::bytea[]) ORDER BY record_id"
LINKED_AS = "SELECT record_id, accepted FROM code_links WHERE record_id = ANY($1::bytea[]) ORDER BY record_id"


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
