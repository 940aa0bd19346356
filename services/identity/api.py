"""gRPC request -> query -> response."""

from __future__ import annotations

import json
from typing import Any, cast

import asyncpg
import grpc
import grpc.aio
from credit.identity.v1 import identity_pb2 as pb
from credit.identity.v1 import identity_pb2_grpc as pb_grpc

from services.chassis import postgres
from services.identity import queries
from services.identity.domain.codes import Reference, refer


class IdentityApi(pb_grpc.IdentityServicer):
    """Reads only; every write is a message on a topic."""

    def __init__(self, pool: asyncpg.Pool[Any], pepper: bytes) -> None:
        self._pool = pool
        self._pepper = pepper

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
            rows = await queries.review_page(tx, request.state, request.reason, request.after, size)
        last = rows[-1]["place"] if len(rows) == size else 0
        return pb.ListReviewResponse(items=[_item(row) for row in rows], next_after=last)

    async def GetReview(self, request: pb.GetReviewRequest, context: Any) -> pb.Review:
        """One record."""
        try:
            record_id = bytes.fromhex(request.record_id)
        except ValueError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "RECORD_ID_FORMAT")
            raise
        async with postgres.transaction(self._pool) as tx:
            link, rows = await queries.review_of(tx, record_id)
        if link is None and not rows:
            await context.abort(grpc.StatusCode.NOT_FOUND, "RECORD_UNKNOWN")
        return _review(request.record_id, link, rows)

    async def CountReview(self, request: pb.CountReviewRequest, context: Any) -> pb.CountReviewResponse:
        """How many are in review, or were."""
        async with postgres.transaction(self._pool) as tx:
            rows = await queries.review_counts(tx)
        return pb.CountReviewResponse(counts=[pb.ReviewCount(**dict(row)) for row in rows])

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to the process' server."""
        cast(Any, pb_grpc).add_IdentityServicer_to_server(self, server)


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


def _review(record_id: str, link: Any, rows: Any) -> pb.Review:
    review = pb.Review(record_id=record_id, items=[_item(row) for row in rows])
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
    )


def _ms(at: Any) -> int:
    return round(at.timestamp() * 1000)
