"""How records name a subject: codes brought to one form, and the keyed ids made of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from services.identity.domain import identifiers
from services.identity.domain.terms import Reason

PLACEHOLDER = "00000000000000000X"  # a sole trader without a code: stands for many
LIMIT = 64


class Reference(NamedTuple):
    """A code as a record gives it; `id` is a subject id for `uscc` and an alias id for every other kind.

    With a fault there is no id, and no code either: what is not understood may be a person's number.
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
    valid = KINDS.get(kind)
    if valid is None:
        return Reference("", "", b"", "CODE_KIND_UNKNOWN")
    code = one_form(written)
    if code == PLACEHOLDER:
        return Reference(kind, "", b"", "CODE_PLACEHOLDER")
    if not 0 < len(code) <= LIMIT or not valid(code):
        return Reference(kind, "", b"", "CODE_MALFORMED")
    return Reference(kind, code, keyed_id(pepper, kind, code))


def one_form(written: str) -> str:
    """Full-width, lower case, hyphens and spaces are common dirt and carry no meaning."""
    plain = unicodedata.normalize("NFKC", written).upper()
    return "".join(plain.replace("-", "").split())


def organisation_code(pepper: bytes, uscc: Reference) -> Reference:
    """The organisation code inside; its own check digit is a warning only (domain.md §3.2), so it is not asked."""
    code = uscc.code[8:17]
    return Reference("org_code", code, keyed_id(pepper, "org_code", code))


KINDS: dict[str, Callable[[str], bool]] = {
    "uscc": identifiers.is_uscc,
    "org_code": identifiers.is_organisation_code,
    "reg_no": identifiers.is_registration_no,
    "tax_no": identifiers.is_tax_no,
}
