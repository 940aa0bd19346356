"""Fills all stores for `make bench-growth` with copies of rows that the services wrote themselves (copies.py).

Whole rows under new keys of the services' own shape: records by agency and rising number, everything downstream by
hash. All are first versions, so that the stores agree with each other, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from bench.copies import Copier, Table, copier, hashed, numbered, only_code
from bench.rig import Rig
from bench.workload import PER_SUBJECT

CHUNK = 500_000  # records filled between two lines
INDEXES = "SELECT coalesce(sum(pg_relation_size(indexrelid)), 0)::bigint FROM pg_index"
Tell = Callable[[str], None]
RECORD, SUBJECT = hashed("grown record"), hashed("grown subject")
OF_RECORD = hashed("grown subject", PER_SUBJECT)


def code(number: int) -> str:
    """Of a filled subject: no run of the workload has it."""
    return f"91429000{number:010d}"


# What a store gets per record, and what per subject.
PER_RECORD: Mapping[str, tuple[Table, ...]] = {
    "ingestion": (
        Table(
            "records",
            {"record_no": numbered(lambda n: b"A%013d" % n), "record_id": RECORD},
            "version = 1 AND NOT withdrawn",
        ),
    ),
    "identity": (Table("record_links", {"record_id": RECORD, "subject_id": OF_RECORD}, "version = 1"),),
    "disclosure": (
        Table("record_standing", {"record_id": RECORD, "subject_id": OF_RECORD}, "version = 1 AND NOT withdrawn"),
        Table(
            "disclosed_records",
            {"subject_id": OF_RECORD, "record_id": RECORD, "submission_id": numbered(lambda n: b"A%012d" % n)},
            "version = 1",
        ),
    ),
    "national_sync": (
        Table("exchanges", {"record_id": RECORD}, "state = 'ACKNOWLEDGED' AND version = 1"),
        Table("answers", {"record_id": RECORD}, "version = 1"),
    ),
}
PER_NEW_SUBJECT: Mapping[str, tuple[Table, ...]] = {
    "identity": (Table("subjects", {"subject_id": SUBJECT}),),  # of permits by USCC there are no aliases
    "disclosure": (
        Table("subject_files", {"subject_id": SUBJECT}),
        Table("subjects", {"subject_id": SUBJECT, "codes": only_code(code)}, "code_kinds = '{uscc}'"),
        Table("subject_codes", {"code": numbered(lambda n: code(n).encode()), "subject_id": SUBJECT}, "kind = 'uscc'"),
    ),
    "ingestion": (),
    "national_sync": (),
}


class Filler:
    """Fills all stores at once; the originals are taken once, before anything is a copy."""

    def __init__(self, rig: Rig, tell: Tell) -> None:
        self._rig = rig
        self._tell = tell
        self._copiers: dict[str, list[tuple[Copier, int]]] = {}  # with how many records share a row
        self.stored = 0

    async def take(self) -> None:
        """Keep some rows of each table; raises `CheckFailed` where there are none."""
        for role, tables in PER_RECORD.items():
            store = await self._rig.connect(role)
            try:
                found = [(await copier(store, table), 1) for table in tables]
                found += [(await copier(store, table), PER_SUBJECT) for table in PER_NEW_SUBJECT[role]]
                self._copiers[role] = found
            finally:
                await store.close()

    async def fill(self, size: int) -> int:
        """So many records in every store; the bytes of all its indexes afterwards."""
        return sum(await asyncio.gather(*(self._fill(role, self.stored, size) for role in PER_RECORD)))

    async def _fill(self, role: str, begin: int, end: int) -> int:
        store = await self._rig.connect(role)
        try:
            await store.execute("SET statement_timeout = 0; SET synchronous_commit = off")
            for at in range(begin, end, CHUNK):
                for each, share in self._copiers[role]:
                    await each.put(store, range(-(-at // share), -(-min(at + CHUNK, end) // share)))
                self._tell(f"{role}: {min(at + CHUNK, end):,} records")
            await store.execute("VACUUM ANALYZE")
            return int(await store.fetchval(INDEXES))
        finally:
            await store.close()
