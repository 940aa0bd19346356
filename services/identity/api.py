"""gRPC request -> query -> response."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import asyncpg
import grpc
import grpc.aio
from credit.identity.v1 import identity_pb2 as pb
from credit.identity.v1 import identity_pb2_grpc as pb_grpc

from services.chassis import postgres
from services.identity import queries
from services.identity.contracts.records import Reader
from services.identity.domain.codes import Reference, refer
from services.identity.domain.relations import Told
from services.identity.queries import explaining, relations


class IdentityApi(pb_grpc.IdentityServicer):
    """Reads only; every write is a message on a topic."""

    def __init__(self, pool: asyncpg.Pool[Any], pepper: bytes, reader: Reader) -> None:
        self._pool = pool
        self._pepper = pepper
        self._reader = reader

    async def GetSubject(self, request: pb.GetSubjectRequest, context: Any) -> pb.Subject:
        """A subject by one of its codes."""
        named = refer(self._pepper, request.code_kind or "uscc", request.code)
        if named.fault is not None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, named.fault)
        async with postgres.transaction(self._pool) as tx:
            subject_id, explain = await _resolve(tx, named)
            row = await queries.subject(tx, subject_id)
        if row is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "SUBJECT_UNKNOWN")
        return _subject(row, explain)

    async def ListReview(self, request: pb.ListReviewRequest, context: Any) -> pb.ListReviewResponse:
        """One page of the review list."""
        size = queries.page_size(request.page_size)
        async with postgres.transaction(self._pool) as tx:
            wanted = queries.Wanted(request.state, request.reason, request.item, request.agency, request.name_part)
            rows = await queries.review_page(tx, wanted, request.after, size)
        last = rows[-1]["place"] if len(rows) == size else 0
        items = [self._item(row) for row in rows]
        return pb.ListReviewResponse(items=[i for i in items if request.name_part in i.subject_name], next_after=last)

    async def GetReview(self, request: pb.GetReviewRequest, context: Any) -> pb.Review:
        """One record."""
        record_id = await _id(request.record_id, "RECORD_ID_FORMAT", context)
        async with postgres.transaction(self._pool) as tx:
            link, rows = await queries.review_of(tx, record_id)
        if link is None and not rows:
            await context.abort(grpc.StatusCode.NOT_FOUND, "RECORD_UNKNOWN")
        return _review(request.record_id, link, [self._item(row) for row in rows])

    async def Explain(self, request: pb.ExplainRequest, context: Any) -> pb.Explained:
        """Why a record is about whom it is about."""
        record_id = await _id(request.record_id, "RECORD_ID_FORMAT", context)
        async with postgres.transaction(self._pool) as tx:
            found = await explaining.explain(tx, self._reader, record_id)
        if found is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "RECORD_UNKNOWN")
            raise AssertionError
        explained = _explained(found, [self._item(row) for row in found.reviews])
        explained.record_id = record_id.hex()
        return explained

    async def ReportCodes(self, request: pb.ReportCodesRequest, context: Any) -> pb.ReportCodesResponse:
        """How well agencies name their subjects."""
        async with postgres.transaction(self._pool) as tx:
            rows = await queries.code_rates(tx, request.month)
        return pb.ReportCodesResponse(rates=[pb.CodeRates(**dict(row)) for row in rows])

    async def ListJudgements(self, request: pb.ListJudgementsRequest, context: Any) -> pb.ListJudgementsResponse:
        """What people said of a subject and others."""
        subject_id = await _id(request.subject_id, "SUBJECT_ID_FORMAT", context)
        async with postgres.transaction(self._pool) as tx:
            rows = await explaining.judgements(tx, [subject_id])
        return pb.ListJudgementsResponse(judgements=[_judgement(row) for row in rows])

    async def ListRelations(self, request: pb.ListRelationsRequest, context: Any) -> pb.ListRelationsResponse:
        """Who holds, and held, an office in an organisation."""
        named = refer(self._pepper, request.code_kind or "uscc", request.code)
        if named.fault is not None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, named.fault)
        async with postgres.transaction(self._pool) as tx:
            subject_id, _ = await _resolve(tx, named)
            told = await relations.of(tx, subject_id)
            known = told or await queries.subject(tx, subject_id)
        if not known:
            await context.abort(grpc.StatusCode.NOT_FOUND, "SUBJECT_UNKNOWN")
        return pb.ListRelationsResponse(subject_id=subject_id.hex(), relations=map(_relation, told))

    def _item(self, row: Any) -> pb.ReviewItem:
        item = _item(row)
        if row["accepted"]:
            item.subject_name = self._reader.read_body(row["accepted"], 0).subject_name
        return item

    async def CountReview(self, request: pb.CountReviewRequest, context: Any) -> pb.CountReviewResponse:
        """How many are in review, or were."""
        async with postgres.transaction(self._pool) as tx:
            rows = await queries.review_counts(tx)
        return pb.CountReviewResponse(counts=[pb.ReviewCount(**dict(row)) for row in rows])

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to the process' server."""
        cast(Any, pb_grpc).add_IdentityServicer_to_server(self, server)


async def _id(written: str, fault: str, context: Any) -> bytes:
    try:
        return bytes.fromhex(written)
    except ValueError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, fault)
        raise


async def _resolve(tx: Any, named: Reference) -> tuple[bytes, pb.Explanation]:
    """A subject id and why; an id of nobody for a code that is not known or not exact."""
    if named.kind == "uscc":
        return named.id, pb.Explanation(rule="USCC", evidence_kinds=["uscc"])
    row = await queries.alias(tx, named.id)
    if row is None or row["subject_id"] is None or row["contested"]:
        return b"", pb.Explanation()
    return row["subject_id"], pb.Explanation(rule=named.kind.upper(), evidence_kinds=[named.kind, row["source"]])


def _subject(row: Any, explain: pb.Explanation) -> pb.Subject:
    return pb.Subject(
        subject_id=row["subject_id"].hex(),
        subject_version=row["version"],
        kind=row["kind"],
        name=row["name"] or "",
        codes=[pb.Code(**code) for code in json.loads(row["codes"])],
        explain=explain,
    )


def _explained(found: explaining.Explained, items: Sequence[pb.ReviewItem]) -> pb.Explained:
    link, chain = found.link, [row["subject_id"].hex() for row in found.chain]
    explained = pb.Explained(
        features=[pb.Feature(**feature._asdict()) for feature in found.features],
        chain=chain,
        brought_by=[record_id.hex() for record_id in found.brought_by],
        judgements=[_judgement(row) for row in found.judgements],
        decisions=[_decision(row) for row in found.decisions],
        items=items,
    )
    if link is not None:
        explained.subject_id = chain[-1] if chain else link["subject_id"].hex()
        explained.rule, explained.linked_version = link["rule"], link["version"]
    return explained


def _relation(told: Told) -> pb.Relation:
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


def _judgement(row: Any) -> pb.Judgement:
    who = {"one": row["one"].hex(), "other": row["other"].hex(), "by": row["issued_by"], "reason": row["reason"]}
    return pb.Judgement(number=row["number"], verdict=row["verdict"], judged_at_ms=row["judged_at"], **who)


def _decision(row: Any) -> pb.Decision:
    subject_id = row["subject_id"].hex() if row["subject_id"] else ""
    what: dict[str, Any] = {name: row[name] for name in ("version", "decision", "carried_out", "reason")}
    return pb.Decision(decided_at_ms=row["decided_at"], by=row["issued_by"], subject_id=subject_id, **what)


def _review(record_id: str, link: Any, items: Sequence[pb.ReviewItem]) -> pb.Review:
    review = pb.Review(record_id=record_id, items=items)
    if link is not None:
        review.subject_id = link["subject_id"].hex()
        review.linked_version = link["version"]
        review.linked_at_ms = link["linked_at"]
        review.explain.CopyFrom(pb.Explanation(rule=link["rule"], evidence_kinds=link["evidence"].split(",")))
    return review


def _item(row: Any) -> pb.ReviewItem:
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
