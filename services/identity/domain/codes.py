"""How records name a subject: codes brought to one form, and the keyed ids made of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from services.identity.domain.terms import SUBJECT_ID, Reason
from services.kernel import organisation_code, registration_number, uscc

TAX_NO = re.compile(r"\d{6}[0-9A-Z]{9}|[0-9X]{17,20}", re.ASCII)
SUBJECT_ID_FORM = re.compile("[0-9a-f]{32}")
BIRTH_DATE = re.compile(r"\d{8}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}", re.ASCII)


class Reference(NamedTuple):
    """A code as a record gives it; `id` is a subject id for `uscc` and an alias id for every other kind.

    With a fault there is no id, and no code either: what is not understood may be a person's number. A tax number
    that may be one has an id, by which it is found, and no code, by which it would be told.
    """

    kind: str
    code: str
    id: bytes
    fault: Reason | None = None


def keyed_id(pepper: bytes, kind: str, code: str) -> bytes:
    """128 bits that nobody can make, or try out, without the pepper."""
    return blake2b(f"{kind}\0{code}".encode(), digest_size=16, key=pepper).digest()


def refer(pepper: bytes, kind: str, written: str) -> Reference:
    """What a written code refers to; organisations only, so a person's document is of no known kind here."""
    if kind == "uscc":
        return _refer_to_uscc(pepper, written)
    if kind not in OLD_KINDS:
        return Reference("", "", b"", "CODE_KIND_UNKNOWN")
    normalise, is_valid = OLD_KINDS[kind]
    code = normalise(written)
    if not is_valid(code):
        return Reference(kind, "", b"", "CODE_MALFORMED")
    told = "" if kind == "tax_no" and _may_be_a_persons(code) else code
    return Reference(kind, told, keyed_id(pepper, kind, code))


def _refer_to_uscc(pepper: bytes, written: str) -> Reference:
    checked = uscc.check(written)
    if checked.fault:
        placeholder = checked.fault == "PLACEHOLDER"
        return Reference("uscc", "", b"", "CODE_PLACEHOLDER" if placeholder else "CODE_MALFORMED")
    return Reference("uscc", checked.code, keyed_id(pepper, "uscc", checked.code))


def refer_to_sealed(written: str) -> Reference:
    """Whom a sealed record of a person is about: ingestion had the id from our key service, nothing is hashed again."""
    if SUBJECT_ID_FORM.fullmatch(written) is None:
        return Reference(SUBJECT_ID, "", b"", "CODE_MALFORMED")
    return Reference(SUBJECT_ID, "", bytes.fromhex(written))


def organisation_code_in(pepper: bytes, named: Reference) -> Reference:
    """The organisation code inside; its own check digit is a warning only (domain.md §3.2), so it is not asked."""
    code = uscc.organisation_part(named.code)
    return Reference("org_code", code, keyed_id(pepper, "org_code", code))


def _is_tax_no(code: str) -> bool:
    return TAX_NO.fullmatch(code) is not None


def _may_be_a_persons(tax_no: str) -> bool:
    """A sole trader's is its owner's identity number (domain.md §3.5); an organisation's ends in its code."""
    return not organisation_code.is_valid(tax_no[6:]) or BIRTH_DATE.fullmatch(tax_no) is not None


OLD_KINDS: dict[str, tuple[Callable[[str], str], Callable[[str], bool]]] = {
    "org_code": (organisation_code.normalise, organisation_code.is_valid),
    "reg_no": (registration_number.normalise, registration_number.is_valid),
    "tax_no": (organisation_code.normalise, _is_tax_no),
}
