"""gRPC request -> query -> audit row -> response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

import asyncpg
import grpc
import grpc.aio
from credit.disclosure.v1 import disclosure_pb2 as pb
from credit.disclosure.v1 import disclosure_pb2_grpc as pb_grpc

from services.chassis.coalescing import Coalescer
from services.chassis.handling import Transaction
from services.disclosure import metrics, queries
from services.disclosure.contracts.fields import decode
from services.disclosure.domain.audit import Looked
from services.disclosure.domain.inquiry import (
    AMBIGUOUS,
    UNKNOWN,
    Inquiry,
    Refused,
    SubjectKey,
    inquiry_of,
    subject_id_of,
)
from services.disclosure.domain.inquiry import subject_key as key_of
from services.disclosure.domain.terms import FEEDS, Feed
from services.disclosure.queries import SubjectRow

BATCH_LIMIT = 200
TOGETHER = 1000  # keys in one statement, when so many wait
STATUS = {UNKNOWN: grpc.StatusCode.NOT_FOUND, AMBIGUOUS: grpc.StatusCode.FAILED_PRECONDITION}


Found = tuple[tuple[SubjectRow | None, str], list[pb.Position]]  # who was found, or why nobody; as of


class Log(Protocol):
    """Where looks are written before anything is answered."""

    async def append(self, looks: Sequence[Looked]) -> None: ...


class DisclosureApi(pb_grpc.DisclosureServicer):
    """Reads only; the one thing it writes is that somebody looked."""

    def __init__(self, pool: asyncpg.Pool[Any], log: Log, clock_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._log = log
        self._clock_ms = clock_ms
        # One for each channel: which records are counted is part of the statement.
        self._look_ups = {feed: Coalescer(pool, _look_up(feed), TOGETHER, f"look-ups {feed}") for feed in FEEDS}

    async def GetSubject(self, request: pb.GetSubjectRequest, context: Any) -> pb.GetSubjectResponse:
        """One subject, by a code or by its id."""

        async def answer() -> pb.GetSubjectResponse:
            inquiry, key = _inquiry(request.inquiry), _key(request.subject)
            (((row, fault), positions),) = await self._look_ups[inquiry.channel].ask([key])
            await self._looked("GetSubject", inquiry, [(row.subject_id if row else None, fault)])
            if row is None:
                raise Refused(fault)
            return pb.GetSubjectResponse(subject=_subject(row), as_of=positions)

        return await _ended("GetSubject", context, answer)

    async def BatchGetSubject(self, request: pb.BatchGetSubjectRequest, context: Any) -> pb.BatchGetSubjectResponse:
        """Many subjects at once, each looked at for the record."""

        async def answer() -> pb.BatchGetSubjectResponse:
            inquiry = _inquiry(request.inquiry)
            if not 0 < len(request.subjects) <= BATCH_LIMIT:
                raise Refused(f"BATCH_SIZE: ask for 1 to {BATCH_LIMIT} subjects at once")
            keys = [_key(subject) for subject in request.subjects]
            found = await self._look_ups[inquiry.channel].ask(keys)
            looks = [(row.subject_id if row else None, fault) for (row, fault), _ in found]
            await self._looked("BatchGetSubject", inquiry, looks)
            answers = [
                pb.SubjectAnswer(subject=_subject(row) if row else None, fault=fault) for (row, fault), _ in found
            ]
            return pb.BatchGetSubjectResponse(answers=answers, as_of=found[0][1])

        return await _ended("BatchGetSubject", context, answer)

    async def ListRecords(self, request: pb.ListRecordsRequest, context: Any) -> pb.ListRecordsResponse:
        """One page of what this channel may see of a subject."""

        async def answer() -> pb.ListRecordsResponse:
            inquiry, subject_id = _inquiry(request.inquiry), subject_id_of(request.subject_id)
            after = subject_id_of(request.page_token, "PAGE_TOKEN_FORMAT") if request.page_token else b""
            size = queries.page_size(request.page_size)
            async with queries.snapshot(self._pool) as tx:
                positions = await queries.as_of(tx)
                rows = await queries.records(tx, inquiry.channel, subject_id, after, size)
                if not rows and not after and (into := await queries.standing_for(tx, subject_id)) != subject_id:
                    subject_id = into
                    rows = await queries.records(tx, inquiry.channel, subject_id, after, size)
                seq = await queries.seq(tx, inquiry.channel, subject_id)
            await self._looked("ListRecords", inquiry, [(subject_id, "")])
            token = rows[-1]["record_id"].hex() if len(rows) == size else ""
            found = [_record(row) for row in rows]
            return pb.ListRecordsResponse(
                records=found, next_page_token=token, subject_seq=seq, as_of=_positions(positions)
            )

        return await _ended("ListRecords", context, answer)

    async def _looked(self, method: str, inquiry: Inquiry, at: Sequence[tuple[bytes | None, str]]) -> None:
        """Raises `Transient` while it cannot be written: then nobody is answered."""
        head = (self._clock_ms(), inquiry.caller, inquiry.channel, inquiry.purpose, method)
        await self._log.append([Looked(*head, subject_id, fault or "ANSWERED") for subject_id, fault in at])

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to the process' server."""
        cast(Any, pb_grpc).add_DisclosureServicer_to_server(self, server)


def _look_up(feed: Feed) -> Callable[[Transaction, Sequence[SubjectKey]], Awaitable[Sequence[Found]]]:
    async def look_up(tx: Transaction, keys: Sequence[SubjectKey]) -> Sequence[Found]:
        named, as_of = await queries.look_up(tx, feed, keys)
        positions = _positions(as_of)
        return [(_one(rows), positions) for rows in named]

    return look_up


async def _ended(method: str, context: Any, answer: Callable[[], Awaitable[Any]]) -> Any:
    try:
        found = await answer()
    except Refused as refused:
        metrics.ANSWERS.labels(method, "refused").inc()
        await context.abort(STATUS.get(refused.code, grpc.StatusCode.INVALID_ARGUMENT), refused.text)
    else:
        metrics.ANSWERS.labels(method, "answered").inc()
        return found


def _inquiry(asked: pb.Inquiry) -> Inquiry:
    return inquiry_of(asked.channel, asked.caller, asked.purpose)


def _key(asked: pb.SubjectKey) -> SubjectKey:
    return key_of(asked.subject_id, asked.code.kind, asked.code.code)


def _one(rows: Sequence[SubjectRow]) -> tuple[SubjectRow | None, str]:
    if len(rows) == 1:
        return rows[0], ""
    return None, AMBIGUOUS if rows else UNKNOWN


def _subject(row: SubjectRow) -> pb.Subject:
    return pb.Subject(
        subject_id=row.subject_id.hex(),
        subject_kind=row.kind,
        subject_name=row.name or "",
        codes=[pb.Code(kind=kind, code=code) for kind, code in row.codes],
        records=row.records,
        subject_seq=row.seq,
    )


def _record(row: Any) -> pb.Record:
    return pb.Record(
        record_id=row["record_id"].hex(),
        version=row["version"],
        item=row["item"],
        item_version=row["item_version"],
        agency=row["agency"],
        submission_id=row["submission_id"],
        decided_on=row["decided_on"].isoformat(),
        accepted_at_ms=row["accepted_at"],
        changed_at_ms=row["changed_at"],
        fields=decode(row["fields"]),
    )


def _positions(rows: Sequence[Any]) -> list[pb.Position]:
    return [pb.Position(topic=r["topic"], partition=r["partition"], next_offset=r["next_offset"]) for r in rows]
