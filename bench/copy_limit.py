"""The limit: binary COPY of the very rows ingestion has stored, already encoded, into a table of the same shape."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Iterator
from typing import Any

import asyncpg

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BATCH = 2000


async def copy_rate(connection: asyncpg.Connection[Any], table: str) -> tuple[int, float]:
    """(rows, rows per second) for `table` copied, 2,000 rows a transaction, into an empty table with its indexes."""
    raw = io.BytesIO()
    await connection.copy_from_query(f"SELECT * FROM {table}", output=raw, format="binary")  # noqa: S608 - a table we name
    batches = list(_batches(raw.getvalue()))
    await connection.execute(f"CREATE TABLE copy_limit (LIKE {table} INCLUDING ALL)")
    try:
        started = time.perf_counter()
        for batch in batches:
            await connection.copy_to_table("copy_limit", source=io.BytesIO(batch), format="binary")
        seconds = time.perf_counter() - started
        rows = int(await connection.fetchval("SELECT count(*) FROM copy_limit"))
    finally:
        await connection.execute("DROP TABLE copy_limit")
    return rows, rows / seconds


def _batches(data: bytes) -> Iterator[bytes]:
    """Cut a binary COPY stream into streams of 2,000 rows."""
    at, begin, rows = 19, 19, 0
    while (fields := struct.unpack_from(">h", data, at)[0]) >= 0:
        at += 2
        for _ in range(fields):
            length = struct.unpack_from(">i", data, at)[0]
            at += 4 + max(length, 0)
        rows += 1
        if rows % BATCH == 0:
            yield HEADER + data[begin:at] + b"\xff\xff"
            begin = at
    if at > begin:
        yield HEADER + data[begin:at] + b"\xff\xff"
