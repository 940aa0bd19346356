"""gRPC request -> query -> response."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import grpc
import grpc.aio
from credit.national_sync.v1 import national_sync_pb2 as pb
from credit.national_sync.v1 import national_sync_pb2_grpc as pb_grpc

from services.chassis import postgres
from services.national_sync import queries


class NationalSyncApi(pb_grpc.NationalSyncServicer):
    """Reads only; every write is a message on a topic."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def CountExchanges(self, request: pb.CountExchangesRequest, context: Any) -> pb.CountExchangesResponse:
        """Exchanges by item and state."""
        async with postgres.transaction(self._pool) as tx:
            rows = await queries.counts(tx)
        return pb.CountExchangesResponse(counts=[pb.ExchangeCount(**dict(row)) for row in rows])

    async def GetExchange(self, request: pb.GetExchangeRequest, context: Any) -> pb.Exchange:
        """One exchange with its answers."""
        try:
            record_id = bytes.fromhex(request.record_id)
        except ValueError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "RECORD_ID_FORMAT")
            raise
        async with postgres.transaction(self._pool) as tx:
            row, answers = await queries.exchange(tx, record_id)
        if row is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "EXCHANGE_UNKNOWN")
        return _exchange(row, answers)

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to the process' server."""
        cast(Any, pb_grpc).add_NationalSyncServicer_to_server(self, server)


def _exchange(row: Any, answers: Any) -> pb.Exchange:
    return pb.Exchange(
        record_id=row["record_id"].hex(),
        version=row["version"],
        item=row["item"],
        action=row["action"],
        state=row["state"],
        attempt=row["attempt"],
        held=row["held"],
        changed_at_ms=_ms(row["changed_at"]),
        link_no=row["link_no"],
        nobodys=row["nobodys"],
        answers=[_answer(answer) for answer in answers],
    )


def _answer(row: Any) -> pb.Answer:
    told = {name: row[name] for name in ("version", "attempt", "verdict", "code", "text")}
    return pb.Answer(**told, answered_at_ms=_ms(row["answered_at"]))


def _ms(at: Any) -> int:
    return round(at.timestamp() * 1000)
