"""gRPC request -> query -> response."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import grpc
import grpc.aio
from credit.identity.v1 import identity_pb2 as pb
from credit.identity.v1 import identity_pb2_grpc as pb_grpc

from services.chassis import postgres
from services.identity import queries
from services.identity.api.messages import (
    explained_message,
    item_message,
    judgement_message,
    relation_message,
    review_message,
    subject_message,
)
from services.identity.contracts.records import Reader
from services.identity.domain.codes import Reference, refer
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
        return subject_message(row, explain)

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
        return review_message(request.record_id, link, [self._item(row) for row in rows])

    async def Explain(self, request: pb.ExplainRequest, context: Any) -> pb.Explained:
        """Why a record is about whom it is about."""
        record_id = await _id(request.record_id, "RECORD_ID_FORMAT", context)
        async with postgres.transaction(self._pool) as tx:
            found = await explaining.explain(tx, self._reader, record_id)
        if found is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "RECORD_UNKNOWN")
            raise AssertionError
        explained = explained_message(found, [self._item(row) for row in found.reviews])
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
        return pb.ListJudgementsResponse(judgements=[judgement_message(row) for row in rows])

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
        return pb.ListRelationsResponse(subject_id=subject_id.hex(), relations=map(relation_message, told))

    def _item(self, row: Any) -> pb.ReviewItem:
        item = item_message(row)
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
