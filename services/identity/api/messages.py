"""Rows and values -> messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from credit.identity.v1 import identity_pb2 as pb

from services.identity.domain.relations import Told
from services.identity.queries import explaining


def subject_message(row: Any, explain: pb.Explanation) -> pb.Subject:
    """A row of `subjects`, and why the code that was asked is its."""
    return pb.Subject(
        subject_id=row["subject_id"].hex(),
        subject_version=row["version"],
        kind=row["kind"],
        name=row["name"] or "",
        codes=[pb.Code(**code) for code in json.loads(row["codes"])],
        explain=explain,
    )


def explained_message(found: explaining.Explained, items: Sequence[pb.ReviewItem]) -> pb.Explained:
    """Why a record is about whom it is about, without the record's id."""
    link, chain = found.link, [row["subject_id"].hex() for row in found.chain]
    explained = pb.Explained(
        features=[pb.Feature(**feature._asdict()) for feature in found.features],
        chain=chain,
        brought_by=[record_id.hex() for record_id in found.brought_by],
        judgements=[judgement_message(row) for row in found.judgements],
        decisions=[decision_message(row) for row in found.decisions],
        items=items,
    )
    if link is not None:
        explained.subject_id = chain[-1] if chain else link["subject_id"].hex()
        explained.rule, explained.linked_version = link["rule"], link["version"]
    return explained


def relation_message(told: Told) -> pb.Relation:
    """Who holds an office, and what ended it."""
    record_id, said = told.kept.record_id, told.kept.relation
    found = pb.Relation(
        role=said.role,
        stands=told.stands,
        organisation=said.organisation.hex(),
        record_id=record_id.hex(),
        version=said.version,
        item=said.item,
        agency=said.agency,
        said_at_ms=said.said_at,
        since_ms=told.since,
        person=said.person_id.hex() if said.person_id else "",
        ended_as=told.ended_as,
        ended_at_ms=told.ended_at or 0,
    )
    if told.ended_by is not None:
        found.ended_by, found.ended_by_version = told.ended_by[0].hex(), told.ended_by[1]
    return found


def judgement_message(row: Any) -> pb.Judgement:
    """What somebody said of two subjects."""
    who = {"one": row["one"].hex(), "other": row["other"].hex(), "by": row["issued_by"], "reason": row["reason"]}
    return pb.Judgement(number=row["number"], verdict=row["verdict"], judged_at_ms=row["judged_at"], **who)


def decision_message(row: Any) -> pb.Decision:
    """What a person decided about a version in review."""
    subject_id = row["subject_id"].hex() if row["subject_id"] else ""
    what: dict[str, Any] = {name: row[name] for name in ("version", "decision", "carried_out", "reason")}
    return pb.Decision(decided_at_ms=row["decided_at"], by=row["issued_by"], subject_id=subject_id, **what)


def review_message(record_id: str, link: Any, items: Sequence[pb.ReviewItem]) -> pb.Review:
    """A record's link, if it has one, and its versions that are or were in review."""
    review = pb.Review(record_id=record_id, items=items)
    if link is not None:
        review.subject_id = link["subject_id"].hex()
        review.linked_version = link["version"]
        review.linked_at_ms = link["linked_at"]
        review.explain.CopyFrom(pb.Explanation(rule=link["rule"], evidence_kinds=link["evidence"].split(",")))
    return review


def item_message(row: Any) -> pb.ReviewItem:
    """A row of `reviews`, without the name in what is kept of the record."""
    told = {name: row[name] for name in ("version", "item", "agency", "state", "reason", "code_kind")}
    return pb.ReviewItem(
        **told,
        position=row["place"],
        record_id=row["record_id"].hex(),
        can_be_mapped=row["state"] == "WAITING" and row["reason"] == "CODE_UNKNOWN",
        held_at_ms=_ms(row["held_at"]),
        settled_at_ms=_ms(row["settled_at"]) if row["settled_at"] else 0,
        claimed_by=row["claimed_by"] or "",
        claimed_until_ms=row["claimed_until"] or 0,
    )


def _ms(at: Any) -> int:
    return round(at.timestamp() * 1000)
