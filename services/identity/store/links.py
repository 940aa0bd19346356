"""Whom records are linked to, and by which version."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.chassis.bulk import Rows
from services.chassis.handling import Transaction
from services.identity.domain.cluster import Cluster, Record
from services.identity.domain.events import RecordHeld, RecordLinked, RecordUnlinked
from services.identity.domain.records import Link
from services.identity.store.code_links import FORGET
from services.identity.store.found import Found
from services.identity.store.reviews import REOPEN
from services.identity.store.writing import Row, Told, write

LINKS = """
SELECT l.record_id, l.subject_id, l.version, l.rule, l.evidence, l.link_no
FROM unnest($1::bytea[]) AS k (record_id) JOIN record_links AS l USING (record_id)
"""
LINK_COLUMNS = {
    "record_id": "bytea",
    "subject_id": "bytea",
    "version": "bigint",
    "rule": "text",
    "evidence": "text",
    "linked_at": "bigint",
}
NEW_LINKS = Rows("record_links", LINK_COLUMNS)
# Of a record that was nobody's, whose link is made anew; all others are made without the number.
NEW_AGAIN = Rows("record_links", {**LINK_COLUMNS, "link_no": "bigint"})
MOVE_LINKS = """
UPDATE record_links AS old SET subject_id = new.subject_id, version = new.version, rule = new.rule,
    evidence = new.evidence, linked_at = new.linked_at, link_no = new.link_no
FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
    AS new (record_id, subject_id, version, rule, evidence, linked_at, link_no)
WHERE old.record_id = new.record_id
"""
UNLINK = "DELETE FROM record_links WHERE record_id = ANY($1::bytea[])"


async def load_records(tx: Transaction, found: Found, wanted: Collection[bytes]) -> None:
    """What is known of these records; those without a link and without a version in review are left out."""
    links = {row["record_id"]: row for row in await tx.fetch(LINKS, list(wanted))}
    for record_id in wanted:
        row, queue = links.get(record_id), found.held.get(record_id, ())
        version = max([0 if row is None else row["version"], *(held.given.version for held in queue)])
        link = None if row is None else Link(row["subject_id"], row["rule"], tuple(row["evidence"].split(",")))
        if version:
            linked = 0 if row is None else row["version"]
            link_no = max([0 if row is None else row["link_no"], *(held.link_no for held in queue)])
            found.records[record_id] = Record(record_id, version, link, queue, linked, (), link_no)


def changed_links(
    before: Mapping[bytes, Cluster], after: Mapping[bytes, Cluster], events: Told
) -> tuple[list[Row], list[Row], list[Row]]:
    """New ones, those made anew and those that move. Versions of a record are linked in order: the last one stands."""
    last = {event.given.record_id: (key, event) for key, event in events if isinstance(event, RecordLinked)}
    new: list[Row] = []
    again: list[Row] = []
    known: list[Row] = []
    for record_id, (key, event) in last.items():
        link = event.link
        row = (record_id, link.subject_id, event.given.version, link.rule, ",".join(link.evidence), event.at_ms)
        if before[key].record(record_id).link is None:
            (again if event.link_no else new).append((*row, event.link_no) if event.link_no else row)
        elif after[key].record(record_id).link is not None:
            known.append((*row, event.link_no))
    return new, again, known


async def unlink(tx: Transaction, after: Mapping[bytes, Cluster], events: Told) -> None:
    """Records that are nobody's now, and the versions of them that wait again."""
    free = {e.record_id: key for key, e in events if isinstance(e, RecordUnlinked)}
    gone = sorted(record_id for record_id, key in free.items() if after[key].record(record_id).link is None)
    if gone:
        await tx.execute(UNLINK, gone)
        await tx.execute(FORGET, gone)
    if free:
        places = {(e.held.given.record_id, e.held.given.version) for _, e in events if isinstance(e, RecordHeld)}
        await write(tx, REOPEN, (place for place in places if place[0] in free))
