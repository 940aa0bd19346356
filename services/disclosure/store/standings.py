"""Where records stand: one row per record, whoever it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.chassis.bulk import Rows
from services.chassis.handling import Transaction
from services.disclosure.domain.events import RecordStands, Standing
from services.disclosure.domain.terms import FEEDS, Feed
from services.disclosure.store.disclosed import shown_in
from services.disclosure.store.writing import exactly

STANDINGS = """
SELECT s.record_id AS id, s.version AS standing_version, s.subject_id AS of_subject, s.withdrawn, s.link_no, s.nobodys,
    d.*
FROM unnest($1::bytea[]) AS k (record_id) JOIN record_standing AS s USING (record_id)
LEFT JOIN disclosed_records AS d ON d.subject_id = s.subject_id AND d.record_id = s.record_id
"""

NEW_STANDINGS = Rows(
    "record_standing", {"record_id": "bytea", "version": "bigint", "subject_id": "bytea", "withdrawn": "boolean"}
)
# Of a record whose link changed before anything else of it came; all others are made without the two columns.
NEW_LINKS = Rows(
    "record_standing",
    {"record_id": "bytea", "version": "bigint", "subject_id": "bytea", "withdrawn": "boolean", "link_no": "bigint",
     "nobodys": "boolean"},
)  # fmt: skip
MOVE_STANDINGS = """
UPDATE record_standing AS old SET version = new.version, subject_id = new.subject_id, withdrawn = new.withdrawn,
    link_no = new.link_no, nobodys = new.nobodys
FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::boolean[], $5::bigint[], $6::boolean[], $7::bigint[],
    $8::bigint[]) AS new (record_id, version, subject_id, withdrawn, link_no, nobodys, version_was, link_was)
WHERE old.record_id = new.record_id AND old.version = new.version_was AND old.link_no = new.link_was
"""
# All that is shown of who is erased: read in a batch that erases somebody, else never.
OF_SUBJECTS = "SELECT record_id FROM disclosed_records WHERE subject_id = ANY($1::bytea[])"


async def load_standings(tx: Transaction, record_ids: Iterable[bytes]) -> dict[bytes, Standing]:
    """Where these records stand, with what is shown of them; unknown ones are left out."""
    rows = await tx.fetch(STANDINGS, sorted(record_ids))
    return {row["id"]: _standing(row) for row in rows}


async def load_shown_of(tx: Transaction, subject_ids: Iterable[bytes]) -> dict[bytes, Standing]:
    """Where all records stand that are shown of these subjects.

    To be asked after their counts: a record that another lane adds in between has then moved a count that was read.
    """
    of = sorted(subject_ids)
    found = await load_standings(tx, [row["record_id"] for row in await tx.fetch(OF_SUBJECTS, of)])
    return {record_id: one for record_id, one in found.items() if one.subject_id in of}


def _standing(row: Mapping[str, Any]) -> Standing:
    head = (row["id"], row["standing_version"], row["of_subject"])
    link = (row["link_no"], row["nobodys"])
    if row["record_id"] is None:
        return Standing(*head, (), row["withdrawn"], None, *link)
    feeds: tuple[Feed, ...] = tuple(feed for feed in FEEDS if row[f"in_{feed}"])
    return Standing(*head, feeds, False, shown_in(row), *link)


async def save_standings(tx: Transaction, moved: Mapping[bytes, tuple[Standing | None, RecordStands]]) -> None:
    """Write where records stand that moved; raises `Transient` if another lane was faster."""
    new: list[tuple[Any, ...]] = []
    links: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    for record_id, (old, event) in sorted(moved.items()):
        to = event.standing
        row = (record_id, to.version, to.subject_id, to.withdrawn)
        if old is not None:
            known.append((*row, to.link_no, to.nobodys, old.version, old.link_no))
        elif to.link_no:
            links.append((*row, to.link_no, to.nobodys))
        else:
            new.append(row)
    await NEW_STANDINGS.insert(tx, new)
    await NEW_LINKS.insert(tx, links)
    await exactly(tx, MOVE_STANDINGS, known)
