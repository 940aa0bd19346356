"""What mappings claim: a code is theirs as long as one of them stands, and then it is taken back."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain import relating
from services.identity.domain.cluster import Cluster
from services.identity.domain.events import Event, RecordHeld, RecordUnlinked
from services.identity.domain.ledger import Mapped
from services.identity.domain.records import Held, RecordSeen
from services.identity.domain.story import Story, moved_by
from services.identity.domain.subject_events import AliasFreed, MappingStands, SubjectChanged
from services.identity.domain.subjects import Code
from services.identity.domain.terms import BY_PERSON, MAPPING


def settle(story: Story, given: RecordSeen) -> list[bytes]:
    """What a linked version of a mapping claims from now on; the codes that are free by that."""
    old = story.cluster.ledger.mappings.get(given.record_id)
    new = _claimed(given)
    if old == new:
        return []
    story.tell([MappingStands(given.record_id, new)])
    if old is None or (new is not None and old[:2] == new[:2]):
        return []
    return [old.alias_id] if _free(story, old, given.record_id) else []


def only_by(cluster: Cluster, record_id: bytes, alias_id: bytes) -> bool:
    """Whether the code is whoever's it is by this mapping alone, so that its correction may take it back."""
    old = cluster.ledger.mappings.get(record_id)
    return old is not None and old.alias_id == alias_id and _unclaimed(cluster, alias_id, record_id)


def _claimed(given: RecordSeen) -> Mapped | None:
    if given.withdraws or not given.claims:
        return None
    claim = given.claims[0]
    return Mapped(claim.alias.id, claim.subject.id, claim.alias.kind, claim.alias.code)


def _unclaimed(cluster: Cluster, alias_id: bytes, but: bytes = b"") -> bool:
    """No registration brought the code, and no mapping (but this one) claims it."""
    others = (mapped.alias_id for key, mapped in cluster.ledger.mappings.items() if key != but)
    return cluster.alias(alias_id, "").source == MAPPING and alias_id not in others


def _free(story: Story, old: Mapped, record_id: bytes) -> bool:
    """What this mapping claimed before; what it claims now, it has not got yet."""
    if not _unclaimed(story.cluster, old.alias_id, record_id):
        return False
    story.tell([AliasFreed(old.alias_id)])
    story.tell(_code_removed(story, old))
    story.tell(list(_unlinked(story, old.alias_id)))
    return True


def _code_removed(story: Story, old: Mapped) -> Iterable[Event]:
    subject = story.cluster.subject(old.subject_id)
    code = Code(old.kind, old.code)
    if code in subject.codes:
        codes = tuple(known for known in subject.codes if known != code)
        changed = subject._replace(codes=codes, version=subject.version + 1)
        yield SubjectChanged(changed, "CODE_REMOVED", story.at_ms)


def _unlinked(story: Story, alias_id: bytes) -> Iterable[Event]:
    """Records that this code linked are judged again: they go back to review, from where they may be released."""
    records = [r for r in story.cluster.records.values() if r.by_code is not None and r.by_code.named.id == alias_id]
    records = [r for r in records if r.link is not None and r.link.rule != BY_PERSON]
    number = moved_by(story.next_number()) if records else 0
    for record in sorted(records, key=lambda found: found.record_id):
        assert record.link is not None and record.by_code is not None
        if record.by_code.withdraws or not record.by_code.accepted:
            continue  # it is taken back already; or what it says was not kept, since it may name a person
        yield RecordUnlinked(record.record_id, number, story.cluster.root(record.link.subject_id), story.at_ms)
        yield from relating.unlinked(record, story.at_ms)
        yield RecordHeld(Held(record.by_code, "CODE_UNKNOWN", alias_id, number), story.at_ms)
