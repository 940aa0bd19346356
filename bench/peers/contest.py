"""Runs one peer over a full topic: rows per second between the first and the last visible row; start-up is outside."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import accounting
from bench.accounting import Snapshot
from bench.checks import CheckFailed
from bench.measured import Measured, measured
from bench.peers.contestants import Peer, common
from bench.peers.ground import KEY, NAME, TABLE, Ground, Load
from bench.rig import Connection

PATIENCE_S = 180.0
LAST_WORDS = 2000  # characters of a log that are shown
FIRST = f"SELECT count(*) FROM (SELECT 1 FROM {TABLE} LIMIT 1)"  # noqa: S608 - a constant
COUNT = f"SELECT count(*) FROM {TABLE}"  # noqa: S608 - a constant
SEEN = f"SELECT {KEY} FROM {TABLE} WHERE {KEY} = ANY($1)"  # noqa: S608 - a constant


class Unfinished(Exception):
    """The rows of a peer will not come; the argument says why."""


class Watched(NamedTuple):
    """The accounts at the first and the last visible row, the rows there were at the first, and the half-way moment."""

    first: Snapshot
    last: Snapshot
    rows_at_first: int
    half: tuple[float, int]


def compete(ground: Ground, peer: Peer, load: Load, run: str) -> Measured:
    """One run; ends the benchmark if the peer's rows are not exactly the load.

    `run` names its consumer group: of two runs under one name over one topic the second finds nothing left to read.
    """
    return asyncio.run(_compete(ground, peer, load, run))


async def _compete(ground: Ground, peer: Peer, load: Load, run: str) -> Measured:
    connection = await ground.rig.connect(NAME)
    try:
        await ground.empty_table(connection)
        await ground.rig.rest()
        with _running(ground, peer, load, run) as processes:
            try:
                watched = await _watch(connection, load, processes)
            except Unfinished as stop:
                raise CheckFailed(f"CHECK FAILED {peer.name}: {stop.args[0]}\n{_told(ground, peer)}") from None
            roots = {f"client {n}": process.pid for n, process in enumerate(processes)}
            found = _evaluate(ground, load, watched, roots)
        await ground.check(peer.name, load, connection)
        return found
    finally:
        await connection.close()


@contextmanager
def _running(ground: Ground, peer: Peer, load: Load, run: str) -> Generator[list[subprocess.Popen[bytes]]]:
    """Its processes; each a group of its own, so that what it starts ends with it."""
    told = {**common(ground, load.topic, run), **peer.environment, "WORKERS": str(peer.processes)}
    processes: list[subprocess.Popen[bytes]] = []
    with _log(ground, peer).open("wb") as log:
        try:
            for worker in range(peer.processes):
                environment = {"HOME": str(ground.rig.layout.var), "LANG": "C.UTF-8", **told, "WORKER": str(worker)}
                processes.append(
                    subprocess.Popen(
                        peer.command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                    )
                )
            yield processes
        finally:
            for process in processes:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue


async def _watch(connection: Connection, load: Load, processes: Sequence[subprocess.Popen[bytes]]) -> Watched:
    await connection.execute("SET enable_seqscan = off")
    deadline = time.monotonic() + PATIENCE_S
    while not await connection.fetchval(FIRST):
        await _pause(processes, deadline, 0.05)
    first = accounting.snapshot()
    rows, left, half = int(await connection.fetchval(COUNT)), list(load.marks), None
    while left:
        seen = {row[0] for row in await connection.fetch(SEEN, left)}
        left = [mark for mark in left if mark not in seen]
        if half is None and 2 * len(left) <= len(load.marks):
            half = time.monotonic(), load.rows * len(left) // len(load.marks)
        if left:
            await _pause(processes, deadline, 0.1)
    last = accounting.snapshot()
    return Watched(first, last, rows, half or (last.at_s, 0))


async def _pause(processes: Sequence[subprocess.Popen[bytes]], deadline: float, seconds: float) -> None:
    codes = [process.poll() for process in processes]
    if any(code is not None for code in codes):
        raise Unfinished(f"a process of it ended: exit codes {codes}")
    if time.monotonic() > deadline:
        raise Unfinished(f"its rows are not there after {PATIENCE_S:.0f} s")
    await asyncio.sleep(seconds)


def _told(ground: Ground, peer: Peer) -> str:
    """The end of its log, which goes with the stack."""
    return _log(ground, peer).read_text(encoding="utf-8", errors="replace")[-LAST_WORDS:]


def _log(ground: Ground, peer: Peer) -> Path:
    return ground.rig.layout.logs / f"peer-{peer.name}.log"


def _evaluate(ground: Ground, load: Load, watched: Watched, roots: dict[str, int]) -> Measured:
    first, last, rows_at_first, (half_at, half_rows) = watched
    seconds = last.at_s - first.at_s
    second_half = half_rows / (last.at_s - half_at) if last.at_s > half_at and half_rows else None
    return measured(ground.rig, load.rows - rows_at_first, seconds, (first, last), roots, second_half)
