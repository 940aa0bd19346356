"""The resolution ladder (domain.md §3.11). A name alone never attaches a record: it only confirms a number."""

from __future__ import annotations

from typing import NamedTuple

from services.identity.domain.cluster import Cluster
from services.identity.domain.events import Alias, Claim, Link, RecordSeen
from services.identity.domain.terms import CONFIRMED_BY_NAME, Reason
from services.kernel.names import matching_key


class Doubt(NamedTuple):
    """Why a record cannot be linked, and what would change that: the id of a code, or of a subject to be named."""

    reason: Reason
    alias_id: bytes | None = None


def judge(cluster: Cluster, given: RecordSeen) -> Link | Doubt:
    """Whom this version is about, as far as is known now."""
    standing = cluster.record(given.record_id).link
    if given.subject_kind == "person":
        return Doubt("PERSON_NOT_SUPPORTED_YET")
    if given.withdraws and standing is not None:
        return standing  # a withdrawal must reach whoever was told of the record, whatever it calls its subject
    if given.trouble is not None:
        return Doubt(given.trouble)
    found = climb(cluster, given)
    if isinstance(found, Doubt):
        return found
    if not given.withdraws and any(conflicts(cluster, claim) for claim in given.claims if claim.binding):
        return Doubt("ALIAS_CONFLICT")
    if standing is not None and standing.subject_id != found.subject_id:
        return Doubt("SUBJECT_CHANGED")
    return found


def climb(cluster: Cluster, given: RecordSeen) -> Link | Doubt:
    """One rung after the other; the first that holds decides."""
    named = given.named
    if named.fault is not None:
        return Doubt(named.fault)
    if named.kind == "uscc":
        return Link(named.id, "USCC", ("uscc",))
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
    return alias.subject_id is not None and alias.subject_id != claim.subject.id
