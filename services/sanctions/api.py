"""gRPC request -> query -> response."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import grpc.aio
from credit.sanctions.v1 import sanctions_pb2 as pb
from credit.sanctions.v1 import sanctions_pb2_grpc as pb_grpc

from services.chassis import postgres
from services.sanctions import queries


class SanctionsApi(pb_grpc.SanctionsServicer):
    """Reads only; every write is a message on a topic."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool

    async def ListTasks(self, request: pb.ListTasksRequest, context: Any) -> pb.ListTasksResponse:
        """One page of a department's tasks."""
        async with postgres.transaction(self._pool) as tx:
            rows = await queries.tasks(tx, request.department, request.status, request.page_size, request.page_token)
        full = len(rows) == (min(request.page_size, queries.PAGE_LIMIT) if request.page_size > 0 else queries.PAGE)
        token = rows[-1]["task_id"] if rows and full else ""
        return pb.ListTasksResponse(tasks=[_task(row) for row in rows], next_page_token=token)

    def register(self, server: grpc.aio.Server) -> None:
        """Add this servicer to the process' server."""
        cast(Any, pb_grpc).add_SanctionsServicer_to_server(self, server)


def _task(row: Any) -> pb.Task:
    return pb.Task(
        task_id=row["task_id"],
        status=row["status"],
        memorandum=row["memorandum"],
        measure=row["measure"],
        measure_text=row["measure_text"],
        article=row["article"],
        department=row["department"],
        record_id=row["record_id"].hex(),
        subject_id=row["subject_id"].hex(),
        subject_code=row["subject_code"] or "",
        subject_name=row["subject_name"] or "",
        due_on=row["due_on"].isoformat() if row["due_on"] else "",
        changed_at_ms=round(row["changed_at"].timestamp() * 1000),
        task_version=row["version"],
    )
