"""How a natural person is named: documents brought to one form, and the keyed ids made of them (domain.md §3.6, §3.7).

The person key is document type, normalised number and, for passports, issuing country. Its keyed 128-bit hash is both
the blind index by which a person is found and the subject id by which everybody else knows them: there is nothing to
look up, and nothing to try out without the pepper. A name is no part of it.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from services.identity.domain.codes import keyed_id
from services.identity.domain.terms import Reason
from services.kernel import regions, resident_id
from services.kernel.text import narrowed

Note = Literal["REPAIRED", "EXTENDED", "REGION_UNKNOWN"]

RESIDENT, PERMIT = "resident_id", "residence_permit"
RESIDENCE = ("810000", "820000", "830000")  # 港澳台居民居住证: a resident number in form and check, a type of its own
MERGING = frozenset({RESIDENT, PERMIT})  # only these name one person for a lifetime (domain.md §3.7)
NEW_CARD = re.compile(r"9\d{16}[\dX]", re.ASCII)
COUNTRY = re.compile("[A-Z]{3}")  # ISO 3166-1 alpha-3
FORMS = {
    "hk_mo_permit": re.compile(r"[HM]\d{8}(?:\d{2})?", re.ASCII),  # 港澳居民来往内地通行证
    "tw_permit": re.compile(r"\d{8}(?:\d{2})?", re.ASCII),  # 台湾居民来往大陆通行证
    "permanent_residence": re.compile(r"[A-Z]{3}\d{12}", re.ASCII),  # 外国人永久居留身份证 before 2023
    "passport": re.compile("[A-Z0-9]{5,9}"),
}


class Document(NamedTuple):
    """A person's document as it is written somewhere; `country` of passports only."""

    kind: str
    number: str
    country: str = ""


class PersonReference(NamedTuple):
    """Whom a document names; it does not hold the number. With a fault there is no id.

    `merges`: two documents with this id are one person for certain; of other types they only look alike.
    """

    kind: str
    id: bytes
    fault: Reason | None = None
    notes: tuple[Note, ...] = ()
    merges: bool = False


def refer_to_person(pepper: bytes, document: Document) -> PersonReference:
    """Whom this document names; faults CODE_KIND_UNKNOWN and CODE_MALFORMED, notes where the number was mended."""
    if document.kind in MERGING:
        return _resident(pepper, document)
    form = FORMS.get(document.kind)
    if form is None:
        return PersonReference("", b"", "CODE_KIND_UNKNOWN")
    number, country = narrowed(document.number), narrowed(document.country)
    valid = form.fullmatch(number) is not None or (document.kind == "permanent_residence" and _is_new_card(number))
    if not valid or (document.kind == "passport" and COUNTRY.fullmatch(country) is None):
        return PersonReference(document.kind, b"", "CODE_MALFORMED")
    issued = country if document.kind == "passport" else ""
    return PersonReference(document.kind, _id(pepper, document.kind, number, issued), None, _mended(document, number))


def _resident(pepper: bytes, document: Document) -> PersonReference:
    number = resident_id.normalise(document.number)
    kind = PERMIT if number[:6] in RESIDENCE else RESIDENT  # the number says it, whatever the sender calls it
    if not resident_id.is_valid(number) or (document.kind == PERMIT and kind != PERMIT):
        return PersonReference(document.kind, b"", "CODE_MALFORMED")
    notes = _mended(document, number)
    if kind == RESIDENT and not regions.known(number[:6]):
        notes = (*notes, "REGION_UNKNOWN")  # counties are renamed and people move: never a gate
    return PersonReference(kind, _id(pepper, kind, number, ""), None, notes, merges=True)


def _is_new_card(number: str) -> bool:
    """The card of 2023: MOD 11-2 as in a resident number (its layout is weakly sourced, so no more is asked)."""
    return NEW_CARD.fullmatch(number) is not None and resident_id.check_character(number[:17]) == number[17]


def _mended(document: Document, number: str) -> tuple[Note, ...]:
    if number == document.number:
        return ()
    return ("EXTENDED",) if len(narrowed(document.number)) < len(number) else ("REPAIRED",)


def _id(pepper: bytes, kind: str, number: str, country: str) -> bytes:
    """Apart from organisations' ids by the prefix, from other countries' passports by the country."""
    return keyed_id(pepper, f"person:{kind}", f"{country}\0{number}")
