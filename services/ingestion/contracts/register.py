"""Agencies and editions as this process knows them; replaced as a whole when the store's revision changes."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from services.ingestion.contracts.edition import Edition, make_edition
from services.ingestion.domain.definition import Item
from services.ingestion.domain.envelope import Sender
from services.ingestion.domain.intake import Door
from services.ingestion.domain.reference import AgencyRow, EditionRow, Reference
from services.ingestion.domain.terms import PERSON


class Register:
    """Empty until `fill`; reading a submission asks it for the sender and the edition."""

    def __init__(self) -> None:
        self.revision = -1
        self._senders: dict[str, Sender] = {}
        self._given: dict[str, frozenset[str]] = {}
        self._editions: dict[int, Edition] = {}
        self._made: dict[EditionRow, Edition] = {}
        self._doors: dict[str, Door] = {}
        self._newest: dict[str, Edition] = {}

    def fill(self, reference: Reference) -> None:
        """Take over what the store holds; editions made before are not compiled again."""
        rows = sorted(reference.editions)
        self._made = {row: self._made.get(row) or make_edition(row.definition, row.schema_id) for row in rows}
        self._editions = {edition.schema_id: edition for edition in self._made.values()}
        self._newest = newest = {row.code: self._made[row] for row in rows}
        self._doors = {c: Door(e.item.standing.intake, c in reference.retired) for c, e in newest.items()}
        self._senders = {
            agency.code: Sender(agency.code, _allowed(agency, newest.values())) for agency in reference.agencies
        }
        # What the operator gave them, also where an item names them no more: what they said before is still there.
        self._given = {agency.code: frozenset(agency.items) for agency in reference.agencies}
        self.revision = reference.revision

    def sender(self, agency: str) -> Sender:
        """The owner of a submit topic."""
        return self._senders.get(agency) or Sender(agency, None)

    def senders(self) -> Iterable[Sender]:
        """Every registered agency."""
        return self._senders.values()

    def editions(self) -> Iterable[Edition]:
        """Every published edition."""
        return self._editions.values()

    def about_persons(self) -> list[str]:
        """The agencies that may say something about natural persons, by any edition that ever took reports."""
        items = {item.code for item in (edition.item for edition in self.editions()) if _of_persons(item)}
        return sorted(agency for agency, given in self._given.items() if given & items)

    def edition(self, schema_id: int) -> Edition | None:
        """The edition whose schema has this id."""
        return self._editions.get(schema_id)

    def door(self, item: str) -> Door:
        """Whether an item takes reports, by its newest edition."""
        return self._doors[item]

    def newest(self, item: str) -> Edition | None:
        """The edition of an item that is in force."""
        return self._newest.get(item)

    def is_public(self, item: str) -> bool:
        """Whether the newest edition of an item has its records published (公开公示)."""
        edition = self._newest.get(item)
        return edition is not None and edition.item.disclosure == "public"


def _of_persons(item: Item) -> bool:
    return PERSON in item.subject_kinds and item.standing.intake == "open"


def _allowed(agency: AgencyRow, editions: Iterable[Edition]) -> frozenset[str]:
    """The operator gave it the item, and the item's newest edition names it as responsible."""
    return frozenset(
        edition.item.code
        for edition in editions
        if edition.item.code in agency.items and any(fnmatchcase(agency.code, p) for p in edition.item.agencies)
    )
