"""The resolution ladder (domain.md §3.11). A name alone never attaches a record: it only confirms a number."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.cluster import Cluster, Record
from services.identity.domain.mappings import only_by
from services.identity.domain.records import Claim, Link, RecordSeen
from services.identity.domain.subjects import Alias
from services.identity.domain.terms import (
    BY_PERSON,
    CONFIRMED_BY_NAME,
    EXACT,
    MAPPING,
    PERSON,
    SUBJECT_ID,
    Reason,
)
from services.kernel.names import matching_key


class Doubt(NamedTuple):
    """Why a record cannot be linked, and what would change that: the id of a code, or of a subject to be named."""

    reason: Reason
    alias_id: bytes | None = None


def judge(cluster: Cluster, given: RecordSeen) -> Link | Doubt:
    """Whom this version is about, as far as is known now."""
    record = cluster.record(given.record_id)
    standing = record.link
    if given.subject_kind == PERSON and given.named.kind != SUBJECT_ID:
        return Doubt("PERSON_NOT_SUPPORTED_YET")
    if given.withdraws and standing is not None:
        return standing  # a withdrawal must reach whoever was told of the record, whatever it calls its subject
    if given.trouble is not None:
        return Doubt(given.trouble)
    found = climb(cluster, given)
    if isinstance(found, Doubt):
        decided = standing is not None and standing.rule == BY_PERSON and _named_alike(record, given)
        return standing if decided and standing is not None else found
    if given.claims and not given.withdraws and (claim := contradicted(cluster, given)) is not None:
        return Doubt("ALIAS_CONFLICT", claim.alias.id)
    if standing is not None and not _same(cluster, standing.subject_id, found.subject_id) and given.item != MAPPING:
        return Doubt("SUBJECT_CHANGED")
    return found


def _named_alike(record: Record, given: RecordSeen) -> bool:
    """Whether this version calls its subject by the very code about which a person decided."""
    decided = record.by_code
    return decided is not None and bool(given.named.id) and decided.named.id == given.named.id


def _same(cluster: Cluster, one: bytes, other: bytes) -> bool:
    return one == other or cluster.root(one) == cluster.root(other)


def contradicted(cluster: Cluster, given: RecordSeen) -> Claim | None:
    """What a mapping claims although it is another's, by more than this mapping itself."""
    for claim in given.claims:
        if claim.binding and conflicts(cluster, claim) and not only_by(cluster, given.record_id, claim.alias.id):
            return claim
    return None


def climb(cluster: Cluster, given: RecordSeen) -> Link | Doubt:
    """One rung after the other; the first that holds decides."""
    named = given.named
    if named.fault is not None:
        return Doubt(named.fault)
    if named.kind in EXACT:
        return Link(named.id, named.kind.upper(), (named.kind,))
    alias = cluster.alias(named.id, named.kind)
    if alias.contested:
        return Doubt("CODE_AMBIGUOUS")
    if alias.subject_id is None:
        return Doubt("CODE_UNKNOWN", named.id)
    if named.kind in CONFIRMED_BY_NAME:
        return _confirmed(cluster, alias.subject_id, given, alias.source)
    return Link(alias.subject_id, named.kind.upper(), (named.kind, alias.source))


def _confirmed(cluster: Cluster, subject_id: bytes, given: RecordSeen, source: str) -> Link | Doubt:
    """Another register's number and an equal name; neither is enough without the other."""
    registered = cluster.subject(subject_id).name
    if registered is None:
        return Doubt("NAME_UNKNOWN", subject_id)
    if matching_key(registered) != matching_key(given.subject_name):
        return Doubt("NAME_DIFFERS", subject_id)
    return Link(subject_id, f"{given.named.kind.upper()}_AND_NAME", (given.named.kind, source, "name"))


def conflicts(cluster: Cluster, claim: Claim) -> bool:
    """Whether the claimed code is another subject's already."""
    alias: Alias = cluster.alias(claim.alias.id, claim.alias.kind)
    return alias.subject_id is not None and not _same(cluster, alias.subject_id, claim.subject.id)
