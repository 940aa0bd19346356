"""The limit: binary COPY of the very rows ingestion has stored, encoded before, into a table of the same shape.

Sorted by key and 2,000 a transaction, over one connection or over two that take turns. Nothing else is done with them.
"""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import Iterator, Sequence

from bench import accounting
from bench.accounting import Snapshot
from bench.checks import equal
from bench.measured import Measured, measured
from bench.rig import Connection, Rig

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
BATCH = 2000
ROWS = "SELECT * FROM records WHERE record_no >= $1 AND record_no < $1 || '~' ORDER BY agency, item, record_no"
MAKE = "DROP TABLE IF EXISTS copy_limit; CREATE TABLE copy_limit (LIKE records INCLUDING ALL)"


async def encoded_rows(rig: Rig, mark: str) -> list[bytes]:
    """The rows that a run has left in ingestion's store, as COPY streams of 2,000 rows."""
    connection, raw = await rig.connect("ingestion"), io.BytesIO()
    try:
        await connection.copy_from_query(ROWS, mark, output=raw, format="binary")
    finally:
        await connection.close()
    return list(_batches(raw.getvalue()))


def copy(rig: Rig, mark: str, connections: int) -> Measured:
    """One run; ends the benchmark if the table does not hold every row afterwards."""
    return asyncio.run(_copy(rig, mark, connections))


async def _copy(rig: Rig, mark: str, count: int) -> Measured:
    batches = await encoded_rows(rig, mark)
    connections = [await rig.connect("ingestion") for _ in range(count)]
    try:
        await connections[0].execute(MAKE)
        await rig.rest()
        accounts = await _timed(connections, batches)
        copied = await connections[0].fetchval("SELECT count(*) FROM copy_limit")
        there = await connections[0].fetchval(f"SELECT count(*) FROM ({ROWS})", mark)  # noqa: S608 - a constant
        equal("COPY: rows", copied, there)
        await connections[0].execute("DROP TABLE copy_limit")
        return measured(rig, copied, accounts[1].at_s - accounts[0].at_s, accounts)
    finally:
        for connection in connections:
            await connection.close()


async def _timed(connections: Sequence[Connection], batches: Sequence[bytes]) -> tuple[Snapshot, Snapshot]:
    before = accounting.snapshot()
    step = len(connections)
    await asyncio.gather(*(_send(each, batches[n::step]) for n, each in enumerate(connections)))
    return before, accounting.snapshot()


async def _send(connection: Connection, batches: Sequence[bytes]) -> None:
    for batch in batches:
        await connection.copy_to_table("copy_limit", source=io.BytesIO(batch), format="binary")


def _batches(data: bytes) -> Iterator[bytes]:
    """Cut a binary COPY stream into streams of 2,000 rows."""
    at, begin, rows = len(HEADER), len(HEADER), 0
    while (fields := struct.unpack_from(">h", data, at)[0]) >= 0:
        at += 2
        for _ in range(fields):
            at += 4 + max(struct.unpack_from(">i", data, at)[0], 0)
        rows += 1
        if rows % BATCH == 0:
            yield HEADER + data[begin:at] + b"\xff\xff"
            begin = at
    if at > begin:
        yield HEADER + data[begin:at] + b"\xff\xff"
