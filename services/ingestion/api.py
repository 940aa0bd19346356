"""gRPC request -> a message on the agency's own submit topic -> its receipt as the response."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, NoReturn, cast

import asyncpg
import grpc
import grpc.aio
from credit.ingestion.v1 import ingestion_pb2 as pb
from credit.ingestion.v1 import ingestion_pb2_grpc as pb_grpc

from services.chassis import postgres
from services.chassis.handling import Transaction
from services.chassis.schemas import Schemas
from services.ingestion import metrics
from services.ingestion.contracts.edition import Edition
from services.ingestion.contracts.payload import PayloadFault, day_of, framed, object_of
from services.ingestion.contracts.register import Register
from services.ingestion.domain.envelope import DAY_MS, is_name
from services.ingestion.domain.submission import Envelope
from services.ingestion.domain.validators import EPOCH
from services.ingestion.sessions.keeper import AgencySessions
from services.ingestion.sessions.session import NotAuthenticated, Session

MARGIN_S = 0.2  # of a deadline, kept for the answer that it was too short
PENDING = "PENDING: sent, not answered in time; ask GetReceipt or call again with the same submission_id"


class SubmissionsApi(pb_grpc.SubmissionsServicer):
    """Publishes as the agency that calls, and listens to what it is told; writes nothing itself.

    `register` is this door's own, filled by `refresh`: the lanes' one changes between two turns only.
    """

    def __init__(
        self,
        sessions: AgencySessions,
        schemas: Schemas,
        pool: asyncpg.Pool[Any],
        register: Register,
        refresh: Callable[[Transaction], Awaitable[None]],
        clock_ms: Callable[[], int],
    ) -> None:
        self._sessions = sessions
        self._schemas = schemas
        self._pool = pool
        self._register = register
        self._refresh = refresh
        self._clock_ms = clock_ms

    async def Submit(self, request: pb.SubmitRequest, context: Any) -> pb.Receipt:
        """One submission and its receipt."""
        session = await self._session("Submit", context)
        edition = await self._edition(request.item)
        if edition is None:
            await _refuse("Submit", context, grpc.StatusCode.NOT_FOUND, "ITEM_UNKNOWN: no such item is in force")
        try:
            envelope = envelope_of(request, session.agency, self._clock_ms())
            value = framed(edition, envelope, payload_of(request))
        except PayloadFault as fault:
            await _refuse("Submit", context, grpc.StatusCode.INVALID_ARGUMENT, f"NOT_SENT: {fault}")
        submitting = session.submit(envelope.submission_id, envelope.record_no.encode(), value)
        try:
            receipt = await asyncio.wait_for(submitting, max(context.time_remaining() - MARGIN_S, 0))
        except TimeoutError:
            await _refuse("Submit", context, grpc.StatusCode.DEADLINE_EXCEEDED, PENDING)
        metrics.door_answered("Submit", "answered").inc()
        return await self._receipt(receipt)

    async def GetReceipt(self, request: pb.GetReceiptRequest, context: Any) -> pb.Receipt:
        """The newest receipt of a submission, by whatever door it came."""
        session = await self._session("GetReceipt", context)
        since = request.since_ms or self._clock_ms() - DAY_MS
        found = await session.find(request.submission_id, since)
        if found is None:
            await _refuse("GetReceipt", context, grpc.StatusCode.NOT_FOUND, "NO_RECEIPT: none since then")
        metrics.door_answered("GetReceipt", "answered").inc()
        return await self._receipt(found)

    async def _session(self, method: str, context: Any) -> Session:
        agency, password = credentials_of(context.invocation_metadata())
        try:
            return await self._sessions.of(agency, password)
        except NotAuthenticated:
            told = "CREDENTIALS: authorization: Basic <agency:password>, the agency's Kafka password"
            await _refuse(method, context, grpc.StatusCode.UNAUTHENTICATED, told)

    async def _edition(self, item: str) -> Edition | None:
        async with postgres.transaction(self._pool) as tx:
            await self._refresh(tx)
        return self._register.newest(item)

    async def _receipt(self, value: bytes) -> pb.Receipt:
        await self._schemas.resolve([value])
        _, record = self._schemas.decode(value)
        return receipt_of(record)

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to the process' server."""
        cast(Any, pb_grpc).add_SubmissionsServicer_to_server(self, server)


async def _refuse(method: str, context: Any, status: grpc.StatusCode, told: str) -> NoReturn:
    metrics.door_answered(method, status.name.lower()).inc()
    await context.abort(status, told)
    raise AssertionError("abort does not return")


def credentials_of(metadata: Any) -> tuple[str, str]:
    """Agency and password of a Basic authorization; empty ones for what is none."""
    found = [value for name, value in metadata or () if name == "authorization" and isinstance(value, str)]
    kind, _, coded = found[0].partition(" ") if len(found) == 1 else ("", "", "")
    try:
        agency, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (agency, password) if kind.lower() == "basic" else ("", "")


def payload_of(request: pb.SubmitRequest) -> dict[str, Any]:
    """The payload in either form; raises `PayloadFault` for both at once."""
    if request.payload_json and request.payload:
        raise PayloadFault(["payload: give payload_json or payload, not both"])
    return object_of(request.payload_json) if request.payload_json else dict(request.payload)


def envelope_of(request: pb.SubmitRequest, agency: str, now_ms: int) -> Envelope:
    """The fixed envelope; raises `PayloadFault` where no message could be named or dated."""
    names = {"submission_id": request.submission_id, "record_no": request.record_no}
    reasons = [f"{name}: 1 to 100 characters" for name, text in names.items() if not is_name(text)]
    try:
        decided_on = day_of(request.decided_on)
    except ValueError:
        decided_on = 0
        reasons.append("decided_on: a date such as 2017-03-29 is needed")
    if reasons:
        raise PayloadFault(reasons)
    return Envelope(
        submission_id=request.submission_id,
        item=request.item,
        agency=agency,
        source_unit=request.source_unit,
        action=request.action or "report",
        record_no=request.record_no,
        subject_kind=request.subject_kind or "org",
        subject_code_kind=request.subject_code_kind or "uscc",
        subject_code=request.subject_code,
        subject_name=request.subject_name,
        decided_on=decided_on,
        produced_at=request.produced_at_ms or now_ms,
    )


def receipt_of(record: dict[str, Any]) -> pb.Receipt:
    """A decoded receipt as the response."""
    due = record["due_on"]
    return pb.Receipt(
        submission_id=record["submission_id"],
        record_no=record["record_no"],
        item=record["item"],
        outcome=record["outcome"],
        record_id=record["record_id"] or "",
        faults=[pb.Fault(**{name: fault[name] for name in FAULT}) for fault in record["faults"]],
        received_at_ms=_ms(record["received_at"]),
        answered_at_ms=_ms(record["answered_at"]),
        due_on="" if due is None else _day(due),
    )


FAULT = ("code", "field", "rule", "clause", "message_zh", "message_en", "example")


def _ms(moment: Any) -> int:
    return moment if isinstance(moment, int) else round(moment.timestamp() * 1000)


def _day(day: Any) -> str:
    return (date.fromordinal(day + EPOCH) if isinstance(day, int) else day).isoformat()
