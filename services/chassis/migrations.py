"""Numbered SQL files, forward only, one transaction each, under an advisory lock (architecture §5)."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from services.chassis import logs, postgres
from services.chassis.crashpoints import crashpoint
from services.chassis.errors import Transient
from services.chassis.settings import Settings

NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
LOCK = 20170901  # of the database: two processes that start together take turns
LIMITS = "SET LOCAL lock_timeout = '4s'; SET LOCAL statement_timeout = '5s'"
ATTEMPTS = 5

TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    room text NOT NULL, number integer NOT NULL, name text NOT NULL, checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (room, number)
)
"""


class MigrationFault(Exception):
    """The files do not fit the store: never repaired by trying again."""


class Migration(NamedTuple):
    """One file; `room` is the package it belongs to."""

    room: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_folder(folder: Path) -> list[Migration]:
    """The migrations of a folder in order; a wrong name or a number used twice is a fault."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        named = NAME.fullmatch(path.name)
        if named is None:
            raise MigrationFault(f"{path.name}: must be named 0001_what.sql")
        found.append(Migration(folder.parent.name, int(named[1]), path.name, path.read_text(encoding="utf-8")))
    if len({migration.number for migration in found}) < len(found):
        raise MigrationFault(f"{folder.parent.name}: two migrations with one number")
    return found


def pending(wanted: Sequence[Migration], applied: Mapping[tuple[str, int], str]) -> Iterator[Migration]:
    """What is still to be applied; raises `MigrationFault` when history was edited or this code is older."""
    known = {(migration.room, migration.number) for migration in wanted}
    for room, number in applied.keys() - known:
        raise MigrationFault(f"{room} {number:04}: applied, but unknown to this edition of the code")
    last = {room: max(n for r, n in applied if r == room) for room, _ in applied}
    for migration in wanted:
        checksum = applied.get((migration.room, migration.number))
        if checksum is None and migration.number < last.get(migration.room, -1):
            raise MigrationFault(f"{migration.name}: comes before one that was applied already")
        if checksum not in (None, migration.checksum):
            raise MigrationFault(f"{migration.name}: edited after it was applied; write a new one instead")
        if checksum is None:
            yield migration


async def migrate(settings: Settings, folders: Sequence[Path]) -> list[str]:
    """Apply what is missing, in the order of the folders and then of the numbers; returns the names applied."""
    wanted = [migration for folder in folders for migration in read_folder(folder)]
    with postgres.told_apart():
        connection = await asyncpg.connect(**postgres.connection_settings(settings))
        try:
            return await _apply_missing(connection, wanted)
        finally:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=postgres.CONNECT_S)


async def _apply_missing(connection: asyncpg.Connection[Any], wanted: Sequence[Migration]) -> list[str]:
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK)  # released with the connection
    await connection.execute(TABLE)
    rows = await connection.fetch("SELECT room, number, checksum FROM migrations")
    applied = {(row["room"], row["number"]): row["checksum"] for row in rows}
    names: list[str] = []
    for migration in pending(wanted, applied):
        await _apply_patiently(connection, migration)
        names.append(migration.name)
    return names


async def _apply_patiently(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _apply(connection, migration)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            # Give way to the work that holds the table, then ask again: a queue behind us would stop the service.
            logs.log("migration_waits", name=migration.name, attempt=attempt)
            if attempt == ATTEMPTS:
                raise Transient("database", type(error).__name__) from error
            await asyncio.sleep(attempt)
    return None


async def _apply(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(LIMITS)
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO migrations (room, number, name, checksum) VALUES ($1, $2, $3, $4)",
            migration.room,
            migration.number,
            migration.name,
            migration.checksum,
        )
        crashpoint("cp9")
