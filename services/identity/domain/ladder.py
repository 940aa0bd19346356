"""The resolution ladder (domain.md §3.11): codes only. A name alone never attaches a record, so none is looked at."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.cluster import Cluster
from services.identity.domain.codes import Reference
from services.identity.domain.events import Alias, Claim, Link, RecordSeen
from services.identity.domain.terms import EXACT, PERSON, SUBJECT_ID, Reason


class Doubt(NamedTuple):
    """Why a record cannot be linked, and the code that would change that."""

    reason: Reason
    alias_id: bytes | None = None


def judge(cluster: Cluster, given: RecordSeen) -> Link | Doubt:
    """Whom this version is about, as far as is known now."""
    standing = cluster.record(given.record_id).link
    if given.subject_kind == PERSON and given.named.kind != SUBJECT_ID:
        return Doubt("PERSON_NOT_SUPPORTED_YET")
    if given.withdraws and standing is not None:
        return standing  # a withdrawal must reach whoever was told of the record, whatever it calls its subject
    if given.trouble is not None:
        return Doubt(given.trouble)
    found = climb(cluster, given.named)
    if isinstance(found, Doubt):
        return found
    if not given.withdraws and any(conflicts(cluster, claim) for claim in given.claims if claim.binding):
        return Doubt("ALIAS_CONFLICT")
    if standing is not None and standing.subject_id != found.subject_id:
        return Doubt("SUBJECT_CHANGED")
    return found


def climb(cluster: Cluster, named: Reference) -> Link | Doubt:
    """One rung after the other; the first that holds decides."""
    if named.fault is not None:
        return Doubt(named.fault)
    if named.kind in EXACT:
        return Link(named.id, named.kind.upper(), (named.kind,))
    alias = cluster.alias(named.id, named.kind)
    if alias.contested:
        return Doubt("CODE_AMBIGUOUS")
    if alias.subject_id is None:
        return Doubt("CODE_UNKNOWN", named.id)
    return Link(alias.subject_id, named.kind.upper(), (named.kind, alias.source))


def conflicts(cluster: Cluster, claim: Claim) -> bool:
    """Whether the claimed code is another subject's already."""
    alias: Alias = cluster.alias(claim.alias.id, claim.alias.kind)
    return alias.subject_id is not None and alias.subject_id != claim.subject.id
