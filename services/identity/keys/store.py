"""SQL about persons' keys, erasures and rotations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.chassis.bulk import Rows
from services.chassis.handling import Transaction
from services.identity.keys.kms import Kms

MARK = "SELECT kek_id FROM kek"
SET_MARK = "INSERT INTO kek (kek_id) VALUES ($1) ON CONFLICT DO NOTHING"
MOVE_MARK = "INSERT INTO kek (kek_id) VALUES ($1) ON CONFLICT (only_one) DO UPDATE SET kek_id = excluded.kek_id"

FIND = """
SELECT p.subject_id, p.wrapped, p.kek_id FROM unnest($1::bytea[]) AS k (subject_id) JOIN person_keys AS p
USING (subject_id)
"""
# Under the mark that was read and under no other: a rotation waits for whoever makes keys, and who comes after it finds
# no row to share and makes none. In the order of the ids, so that two of these cannot wait for each other.
MAKE = """
WITH standing AS (SELECT kek_id FROM kek WHERE kek_id = $3::text FOR SHARE)
INSERT INTO person_keys (subject_id, wrapped, kek_id, made_at)
SELECT new.subject_id, new.wrapped, standing.kek_id, $4::bigint
FROM unnest($1::bytea[], $2::bytea[]) AS new (subject_id, wrapped) CROSS JOIN standing ORDER BY new.subject_id
ON CONFLICT DO NOTHING
"""
LEFT = """
SELECT subject_id, wrapped, kek_id FROM person_keys WHERE kek_id < $1 OR kek_id > $1 LIMIT $2
"""
# Only a row that is as it was read: another worker may have wrapped it meanwhile, or an erasure destroyed it.
REWRAP = """
UPDATE person_keys AS old SET wrapped = new.wrapped, kek_id = $4
FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS new (subject_id, was, wrapped)
WHERE old.subject_id = new.subject_id AND old.wrapped = new.was
"""
DESTROY = """
INSERT INTO person_keys (subject_id, made_at)
SELECT * FROM unnest($1::bytea[], $2::bigint[]) AS new (subject_id, at) ORDER BY subject_id
ON CONFLICT (subject_id) DO UPDATE SET wrapped = NULL, kek_id = NULL, made_at = excluded.made_at
"""
# Their offices: an id that nobody can be found by any more is not told of either.
LEAVE = "DELETE FROM relations WHERE person_id = ANY($1::bytea[])"
ERASED = """
SELECT subject_id, command_id, issued_by, reason, erased_at FROM erasures WHERE subject_id = ANY($1::bytea[])
"""
ORGANISATIONS = (
    "SELECT subject_id FROM subjects WHERE subject_id = ANY($1::bytea[]) AND version > 0 AND kind <> 'person'"
)
ROTATIONS = "SELECT kek_id FROM key_rotations ORDER BY number"
NEW_ERASURES = Rows(
    "erasures",
    {"subject_id": "bytea", "command_id": "text", "issued_by": "text", "reason": "text", "erased_at": "bigint"},
)
NEW_ROTATIONS = Rows(
    "key_rotations", {"number": "bigint", "kek_id": "text", "command_id": "text", "rotated_at": "bigint"}
)
COUNT_LIMIT = 1_000_000
COUNTS = """
SELECT (SELECT count(*) FROM (SELECT FROM person_keys WHERE kek_id < $1 OR kek_id > $1 LIMIT $2) AS others)
    AS under_others, (SELECT count(*) FROM erasures) AS erased
"""


class KekChanged(Exception):
    """The key file does not hold the key of this store: nothing of a person could be read or sealed any more."""

    def __init__(self) -> None:
        super().__init__("identity.kek does not hold the key of this store: put the right one back from its copy")


def guard(kms: Kms) -> Callable[[Transaction], Awaitable[str]]:
    """The mark of the store, set by whoever comes first; raises `KekChanged` when its key is not at hand."""

    async def check(tx: Transaction) -> str:
        mark = await tx.fetchval(MARK)
        if mark is None:
            await tx.execute(SET_MARK, kms.newest())
            mark = await tx.fetchval(MARK)
        if mark is None or not kms.holds(mark):
            raise KekChanged
        return str(mark)

    return check
