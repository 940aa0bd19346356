"""Fills identity's store for `make bench-linking`: a million subjects with five old codes each, as copies (copies.py).

The originals are organisations that were registered and whose old codes were mapped, the whole road. A copy has codes
of its own, valid ones, and the ids that the service makes of them by its own function and pepper: whoever is named by
one of these codes is found.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from bench.copies import Copier, Field, Made, Table, copier, numbered
from bench.rig import Connection
from services.cli.synthetic.chance import source
from services.cli.synthetic.codes import ORGANISATION, new_org_code
from services.identity.domain.codes import refer
from services.kernel import registration_number, uscc

CHUNK = 250_000
JSONB = b"\x01"  # its version, before the text
KINDS = ("org_code", "reg_no", "tax_no")
Tell = Callable[[str], None]


class Known(NamedTuple):
    """The subjects that stand: their codes in order, and how many old codes each has."""

    codes: list[str]
    each: int
    pepper: bytes

    def old_code(self, number: int, which: int) -> tuple[str, str]:
        """Kind and code: the organisation code inside, then registration and tax numbers, each of another county."""
        inside = uscc.organisation_part(self.codes[number])
        if which == 0:
            return "org_code", inside
        county = f"42{which:02d}00"
        if which % 2 == 0:
            return "tax_no", county + inside
        body = f"{county}{number:08d}"
        return "reg_no", body + registration_number.check_digit(body)

    def subject_id(self, number: int) -> bytes:
        """As identity makes it of the code."""
        return refer(self.pepper, "uscc", self.codes[number]).id

    def alias_id(self, number: int, which: int) -> bytes:
        """As identity makes it of the old code."""
        return refer(self.pepper, *self.old_code(number, which)).id

    def as_row(self, number: int) -> bytes:
        """All its codes, as the column holds them."""
        codes = [("uscc", self.codes[number]), *(self.old_code(number, which) for which in range(self.each))]
        return JSONB + json.dumps([{"kind": kind, "code": code} for kind, code in codes]).encode()


async def fill(store: Connection, pepper: bytes, subjects: int, aliases: int, tell: Tell) -> Known:
    """Write them; there must be rows of the service's own already. Raises `CheckFailed`."""
    chance, taken = source(subjects, "linking"), set[str]()
    codes = [uscc.complete(f"91420100{new_org_code(ORGANISATION, chance, taken)}") for _ in range(subjects)]
    known = Known(codes, aliases // subjects, pepper)
    tables = [await _subjects(store, known), *[await _aliases(store, known, which) for which in range(known.each)]]
    await store.execute("SET statement_timeout = 0; SET synchronous_commit = off")
    for begin in range(0, subjects, CHUNK):
        for each in tables:
            await each.put(store, range(begin, min(begin + CHUNK, subjects)))
        tell(f"{min(begin + CHUNK, subjects):,} of {subjects:,} subjects copied into the store")
    await store.execute("SET synchronous_commit = on")
    await store.execute("VACUUM ANALYZE subjects, aliases")
    return known


async def _subjects(store: Connection, known: Known) -> Copier:
    new = {"subject_id": numbered(known.subject_id), "codes": numbered(known.as_row)}
    return await copier(store, Table("subjects", new, "name IS NOT NULL AND merged_into IS NULL"))


async def _aliases(store: Connection, known: Known, which: int) -> Copier:
    kind, _ = known.old_code(0, which)
    new: dict[str, Made] = {"alias_id": _alias(known, which), "subject_id": numbered(known.subject_id)}
    return await copier(store, Table("aliases", new, f"kind = '{kind}' AND subject_id IS NOT NULL AND NOT contested"))


def _alias(known: Known, which: int) -> Made:
    def made(number: int, _: Field) -> bytes:
        return known.alias_id(number, which)

    return made
