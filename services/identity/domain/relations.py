"""Who holds an office in an organisation: what records say of it, and which of it stands.

Each record speaks for itself, by its newest linked version; which one stands is found on reading and stored nowhere. So
registrations of one organisation may come from any lane in any order, and be withdrawn, without waiting for each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple

Role = Literal["LEGAL_REPRESENTATIVE", "HEAD", "OWNER", "RESPONSIBLE_PERSON"]
EndedAs = Literal["CORRECTED", "WITHDRAWN", "UNLINKED"]  # stored; on reading also SUCCEEDED: a younger record speaks
TAKEN_BACK = frozenset({"WITHDRAWN", "UNLINKED"})  # as if it had never been said

# The items that say who holds which office (notice item 24). Of all others, not a byte more than the envelope is read.
ROLE_OF: Mapping[str, Role] = {
    "cooperative-registration": "LEGAL_REPRESENTATIVE",
    "forensic-institution-registration": "LEGAL_REPRESENTATIVE",
    "foundation-registration": "LEGAL_REPRESENTATIVE",
    "law-firm-registration": "HEAD",
    "private-non-enterprise-registration": "LEGAL_REPRESENTATIVE",
    "professional-enterprise-head": "RESPONSIBLE_PERSON",
    "public-institution-registration": "LEGAL_REPRESENTATIVE",
    "rural-collective-registration": "LEGAL_REPRESENTATIVE",
    "social-organisation-registration": "LEGAL_REPRESENTATIVE",
    "sole-trader-registration": "OWNER",
    "state-organ-registration": "LEGAL_REPRESENTATIVE",
    "trade-union-registration": "LEGAL_REPRESENTATIVE",
}


class Holder(NamedTuple):
    """Whom a version names. Of a name only a keyed hash is carried, 16 bytes, and only from reading to deciding."""

    role: Role
    name_key: bytes = b""  # of a record about an organisation
    organisation: bytes = b""  # of a record about a person: whose office it is; the holder is the record's subject


class Relation(NamedTuple):
    """Somebody holds an office in an organisation, says this version of a record; either digest or person is there."""

    version: int
    organisation: bytes
    role: Role
    name_digest: bytes | None
    person_id: bytes | None
    said_at: int  # when the version was produced, ms since 1970
    item: str
    agency: str


class Kept(NamedTuple):
    """A relation as it is stored; `ended_by` is a version of its own record."""

    record_id: bytes
    relation: Relation
    ended_as: EndedAs | None = None
    ended_by: int | None = None
    ended_at: int | None = None


class Told(NamedTuple):
    """A relation as it is told: one that a younger record has overtaken ends by that one."""

    kept: Kept
    since: int  # from when on records have named the same person without a break, ms since 1970
    stands: bool
    ended_as: str
    ended_by: tuple[bytes, int] | None  # record and version
    ended_at: int | None


def bound(name_key: bytes, organisation: bytes, role: Role) -> bytes:
    """What is kept of a name: alike for the same name in this office only, so that names cannot be joined by it."""
    return blake2b(organisation + role.encode(), digest_size=16, key=name_key).digest()


def tell(kept: Iterable[Kept]) -> list[Told]:
    """The relations of one organisation, the youngest first; of each office at most one stands.

    Several responsible persons may stand beside each other, but each only once.
    """
    slots: defaultdict[tuple[object, ...], list[Kept]] = defaultdict(list)
    for one in sorted(kept, key=_age):
        slots[_slot(one.relation)].append(one)
    told = [found for slot in slots.values() for found in _told(slot)]
    return sorted(told, key=lambda found: _age(found.kept), reverse=True)


def _age(one: Kept) -> tuple[int, bytes, int]:
    return one.relation.said_at, one.record_id, one.relation.version


def _slot(relation: Relation) -> tuple[object, ...]:
    alone = relation.role != "RESPONSIBLE_PERSON"
    return (relation.role,) if alone else (relation.role, relation.person_id)


def _told(slot: Sequence[Kept]) -> Iterator[Told]:
    """From the youngest back; `after` is the next younger one that has not ended."""
    after: Kept | None = None
    for place in reversed(range(len(slot))):
        one = slot[place]
        since = _since(slot[: place + 1])
        if one.ended_as is not None:
            by = None if one.ended_by is None else (one.record_id, one.ended_by)
            yield Told(one, since, False, one.ended_as, by, one.ended_at)
        elif after is not None:
            by = after.record_id, after.relation.version
            yield Told(one, since, False, "SUCCEEDED", by, after.relation.said_at)
            after = one
        else:
            yield Told(one, since, True, "", None, None)
            after = one


def _since(until: Sequence[Kept]) -> int:
    """Back from the last of these as long as the same person is named; what was taken back was never said."""
    *earlier, last = until
    since = last.relation.said_at
    for one in reversed(earlier):
        if one.ended_as in TAKEN_BACK:
            continue
        if _who(one.relation) != _who(last.relation):
            break
        since = one.relation.said_at
    return since


def _who(relation: Relation) -> tuple[object, ...]:
    return relation.organisation, relation.name_digest, relation.person_id
