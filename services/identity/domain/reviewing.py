"""People take versions in review for a while and decide about them: link, leave, reject."""

from __future__ import annotations

import json
from collections.abc import Sequence

from services.identity.domain.cluster import UNCLAIMED, Cluster
from services.identity.domain.ladder import contradicted
from services.identity.domain.ledger import Claimed
from services.identity.domain.linking import link_version
from services.identity.domain.order_events import RecordRejected, ReviewClaimed, ReviewDecided
from services.identity.domain.orders import ClaimAsked, DecideAsked, ReviewAsked
from services.identity.domain.records import Held, Link
from services.identity.domain.story import Story
from services.identity.domain.terms import BY_PERSON

MINUTE_MS = 60_000


def decide(story: Story, given: ReviewAsked) -> tuple[Sequence[str], str | None]:
    """Tells what follows; the faults for which nothing does, and what was done or stands against it, as JSON."""
    held = story.cluster.in_review(given.record_id, given.version)
    if held is None:
        return ["NOT_WAITING"], None
    claimed = story.cluster.ledger.claims.get((given.record_id, given.version), UNCLAIMED)
    if claimed.by not in (None, given.order.by) and claimed.until_ms > story.at_ms:
        return ["CLAIMED"], json.dumps({"claimed_by": claimed.by, "until": claimed.until_ms}, ensure_ascii=False)
    if isinstance(given, ClaimAsked):
        return _claim(story, given)
    return _decide(story, given, held, claimed)


def _claim(story: Story, given: ClaimAsked) -> tuple[Sequence[str], str | None]:
    until_ms = story.at_ms + given.minutes * MINUTE_MS
    story.tell([ReviewClaimed(given.record_id, given.version, given.order.by, until_ms)])
    return [], json.dumps({"claimed_by": given.order.by, "until": until_ms}, ensure_ascii=False)


def second_needed(subject_kind: str, claimed: Claimed, given: DecideAsked) -> bool:
    """About a natural person two people decide, and alike: the first proposes, another one carries it out."""
    if subject_kind != "person" or given.decision == "leave":
        return False
    return claimed.proposed != given.decision or claimed.proposed_by == given.order.by


def _decide(story: Story, given: DecideAsked, held: Held, claimed: Claimed) -> tuple[Sequence[str], str | None]:
    if faults := _faults(story.cluster, given, held):
        return faults, None
    kind = held.given.subject_kind
    if second_needed(kind, claimed, given):
        if claimed.proposed_by == given.order.by and claimed.proposed == given.decision:
            return ["SECOND_PERSON"], None
        story.tell([_decided(given, carried_out=False)])
        return [], json.dumps({"decision": given.decision, "carried_out": False})
    story.tell([_decided(given, carried_out=True)])
    if given.decision == "reject":
        story.tell([RecordRejected(given.record_id, given.version, story.at_ms)])
    elif given.decision == "link" and given.subject_id is not None:
        link = Link(given.subject_id, BY_PERSON, (held.given.named.kind or "none", "judgement"))
        link_version(story, held.given, link, released=True)
    return [], json.dumps({"decision": given.decision, "carried_out": True})


def _decided(given: DecideAsked, carried_out: bool) -> ReviewDecided:
    return ReviewDecided(given.order, given.record_id, given.version, given.decision, given.subject_id, carried_out)


def _faults(cluster: Cluster, given: DecideAsked, held: Held) -> Sequence[str]:
    if given.decision != "link":
        return []
    if held.given.subject_kind == "person":
        return ["PERSON_NOT_SUPPORTED_YET"]
    if given.subject_id is None or not cluster.subject(given.subject_id).version:
        return ["SUBJECT_UNKNOWN"]
    if contradicted(cluster, held.given) is not None:
        return ["CODE_TAKEN"]
    newer = cluster.record(given.record_id).linked > given.version
    return ["NOT_WAITING"] if newer else []
