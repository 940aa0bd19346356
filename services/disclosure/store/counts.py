"""How far each subject's counts are, on both feeds, and who is erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.chassis.bulk import Rows
from services.chassis.handling import Transaction
from services.disclosure.domain.feed_changes import UNTOLD, Seqs
from services.disclosure.domain.subject_file import SubjectFile
from services.disclosure.store.writing import exactly

COUNTS = """
SELECT f.subject_id, f.public_seq, f.government_seq, f.erased
FROM unnest($1::bytea[]) AS k (subject_id) JOIN subject_files AS f USING (subject_id)
"""
# The end of who is erased: written in a batch that erases somebody, else never.
NEW_ERASED = Rows(
    "subject_files",
    {"subject_id": "bytea", "public_seq": "bigint", "government_seq": "bigint", "erased": "boolean"},
)
ERASE = """
UPDATE subject_files AS old SET public_seq = new.public_seq, government_seq = new.government_seq, erased = true
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS new (subject_id, public_seq, government_seq, public_was, government_was)
WHERE old.subject_id = new.subject_id AND old.public_seq = new.public_was AND old.government_seq = new.government_was
    AND NOT old.erased
"""
NEW_COUNTS = Rows("subject_files", {"subject_id": "bytea", "public_seq": "bigint", "government_seq": "bigint"})
MOVE_COUNTS = """
UPDATE subject_files AS old SET public_seq = new.public_seq, government_seq = new.government_seq
FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    AS new (subject_id, public_seq, government_seq, public_was, government_was)
WHERE old.subject_id = new.subject_id AND old.public_seq = new.public_was AND old.government_seq = new.government_was
    AND NOT old.erased
"""


async def load_counts(tx: Transaction, subject_ids: Iterable[bytes]) -> tuple[dict[bytes, Seqs], frozenset[bytes]]:
    """How far the counts of these subjects are, on both feeds, and who of them is erased; unknown ones are left out."""
    rows = await tx.fetch(COUNTS, sorted(subject_ids))
    counts = {row["subject_id"]: (row["public_seq"], row["government_seq"]) for row in rows}
    return counts, frozenset(row["subject_id"] for row in rows if row["erased"])


async def save_counts(
    tx: Transaction, before: Mapping[bytes, SubjectFile], counted: Mapping[bytes, tuple[bytes, SubjectFile]]
) -> None:
    """Write the counts that rose; raises `Transient` if another lane was faster."""
    new: list[tuple[Any, ...]] = []
    known: list[tuple[Any, ...]] = []
    new_erased: list[tuple[Any, ...]] = []
    erased: list[tuple[Any, ...]] = []
    for subject_id, (key, file) in sorted(counted.items()):
        row, was = (subject_id, *file.counts.get(subject_id, UNTOLD)), before[key].counts.get(subject_id)
        ends = subject_id in file.erased  # of who was erased before nothing is counted any more
        if was is not None:
            (erased if ends else known).append((*row, *was))
        elif ends:
            new_erased.append((*row, True))
        else:
            new.append(row)
    await NEW_COUNTS.insert(tx, new)
    await NEW_ERASED.insert(tx, new_erased)
    await exactly(tx, MOVE_COUNTS, known)
    await exactly(tx, ERASE, erased)
