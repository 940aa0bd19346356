"""Whom records are linked to, and by which version."""

from __future__ import annotations

from collections.abc import Collection

from services.chassis.handling import Transaction
from services.identity.domain.cluster import Record
from services.identity.domain.events import Link
from services.identity.store.found import Found

LINKS = """
SELECT l.record_id, l.subject_id, l.version, l.rule, l.evidence, l.link_no
FROM unnest($1::bytea[]) AS k (record_id) JOIN record_links AS l USING (record_id)
"""


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
