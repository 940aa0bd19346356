"""What a linked record says about its subject: that it exists, its codes, and (a registration only) its name."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain.cluster import Cluster
from services.identity.domain.events import Event
from services.identity.domain.ladder import conflicts
from services.identity.domain.records import Link, RecordSeen
from services.identity.domain.subject_events import NameConfirmed, SubjectChanged
from services.identity.domain.subjects import Code, Subject
from services.identity.domain.terms import REGISTRATION

SOLE_TRADER = "92"  # 登记管理部门 9 工商, 机构类别 2 个体工商户


def subject_events(cluster: Cluster, given: RecordSeen, link: Link, at_ms: int) -> Iterable[Event]:
    """At most one REGISTERED, or a CODE_ADDED and a NAMED; nothing where the record brings no news."""
    if given.named.kind != "uscc" or given.named.id != link.subject_id:
        return  # found through an alias, so known; or a withdrawal that calls its subject something else
    before = cluster.subject(link.subject_id)
    if (
        before.version
        and given.item != REGISTRATION
        and not given.claims
        and Code("uscc", given.named.code) in before.codes
    ):
        return  # nearly every record
    codes = _codes(cluster, before, given)
    known = before if codes == before.codes else before._replace(kind=_kind(given.named.code), codes=codes)
    named = _named(known, given)
    if before.version == 0:
        yield SubjectChanged(named._replace(version=1), "REGISTERED", at_ms)
        return
    if known.codes != before.codes:
        known = known._replace(version=before.version + 1)
        yield SubjectChanged(known, "CODE_ADDED", at_ms)
    if named.name != known.name:
        yield SubjectChanged(named._replace(version=known.version + 1), "NAMED", at_ms)
    elif named.named_at != known.named_at:
        yield NameConfirmed(known.subject_id, named.named_at)


def _kind(uscc: str) -> str:
    return "sole_trader" if uscc.startswith(SOLE_TRADER) else "org"


def _codes(cluster: Cluster, subject: Subject, given: RecordSeen) -> tuple[Code, ...]:
    """In the order in which they became known, the USCC first."""
    news = [Code("uscc", given.named.code)]
    for claim in () if given.withdraws else given.claims:
        mine = claim.subject.id == subject.subject_id and not conflicts(cluster, claim)
        if mine and claim.alias.code:
            news.append(Code(claim.alias.kind, claim.alias.code))
    return tuple(dict.fromkeys((*subject.codes, *news)))


def _named(subject: Subject, given: RecordSeen) -> Subject:
    """The youngest registration names the subject, in whatever order registrations come; ties go by the name."""
    if given.item != REGISTRATION or given.withdraws or not given.subject_name:
        return subject
    if (given.produced_at, given.subject_name) <= (subject.named_at, subject.name or ""):
        return subject
    return subject._replace(name=given.subject_name, named_at=given.produced_at)
