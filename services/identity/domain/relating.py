"""What a linked version says of who holds an office: it ends what its record said before, and begins what it says."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain.cluster import Record
from services.identity.domain.events import Event, RelationBegan, RelationEnded
from services.identity.domain.records import Link, RecordSeen
from services.identity.domain.relations import Relation, bound
from services.identity.domain.story import Story


def settle(story: Story, given: RecordSeen, link: Link) -> None:
    """A correction replaces, a withdrawal ends; a version that names nobody brings nothing."""
    old = story.cluster.record(given.record_id).relation
    new = _said(given, link)
    if old is not None:
        ended = "WITHDRAWN" if given.withdraws else "CORRECTED"
        story.tell([RelationEnded(given.record_id, old.version, ended, given.version, story.at_ms)])
    if new is not None:
        story.tell([RelationBegan(given.record_id, new)])


def unlinked(record: Record, at_ms: int) -> Iterable[Event]:
    """A record that is nobody's says nothing of anybody's offices."""
    if record.relation is not None:
        yield RelationEnded(record.record_id, record.relation.version, "UNLINKED", None, at_ms)


def _said(given: RecordSeen, link: Link) -> Relation | None:
    holder = given.holder
    if holder is None or given.withdraws:
        return None
    about_person = bool(holder.organisation)
    organisation = holder.organisation if about_person else link.subject_id
    digest = None if about_person else bound(holder.name_key, organisation, holder.role)
    person_id = link.subject_id if about_person else None
    who = (organisation, holder.role, digest, person_id)
    return Relation(given.version, *who, given.produced_at, given.item, given.agency)
