"""F6, F7, F8: the database dies, ends connections, gives none, holds a lock."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import asyncpg

from deploy.local import passwords, postgres
from deploy.local.layout import SERVICES
from tests.chaos.fault import Measured, fault
from tests.chaos.ground import Ground, until

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY($1)"


async def connect(ground: Ground, role: str, database: str = "") -> asyncpg.Connection[Any]:
    """A connection as a role of the stack."""
    secret = passwords.password(ground.layout.secrets, role)
    address = f"postgresql://{role}@{ground.layout.address('postgres')}/{database or role}"
    return await asyncpg.connect(address, password=secret, timeout=10)


@contextmanager
def locked(ground: Ground, service: str) -> Generator[None]:
    """No turn of a service ends meanwhile, for its lanes are locked; its doors answer."""
    begin = ("SET idle_in_transaction_session_timeout = 0", "BEGIN", "LOCK TABLE lanes IN ACCESS EXCLUSIVE MODE")
    with asyncio.Runner() as runner:
        superuser = runner.run(connect(ground, postgres.SUPERUSER, service))
        try:
            for statement in begin:
                runner.run(superuser.execute(statement))
            yield
        finally:
            runner.run(superuser.close())


@fault("F6", "kill -9 of PostgreSQL", "SIGKILL of the postmaster (one cluster holds all five databases)",
       "I1–I8", 30, quick=True)  # fmt: skip
def database_killed(ground: Ground, chance: random.Random) -> Measured:
    """The postmaster and with it every session dies; the supervisor starts it and it recovers its log."""
    time.sleep(chance.random() * 2)
    old = ground.signal("postgres", signal.SIGKILL)
    since = time.monotonic()
    until(lambda: ground.pid("postgres") not in (0, old), "the database starts")
    return Measured([ground.recovery(SERVICES, since)])


@fault("F7", "connections ended again and again", "pg_terminate_backend of every session of the services, every 500 ms "
       "for 60 s", "I1–I8", 10)  # fmt: skip
def sessions_ended(ground: Ground, chance: random.Random) -> Measured:
    """No batch has a connection for longer than half a second."""

    async def storm() -> int:
        connection, ended, over = await connect(ground, postgres.SUPERUSER), 0, time.monotonic() + 60
        while time.monotonic() < over:
            ended += len(await connection.fetch(CUT, list(SERVICES)))
            await asyncio.sleep(0.5)
        await connection.close()
        return ended

    ended = asyncio.run(storm())
    return Measured([ground.recovery(SERVICES, time.monotonic())], f"{ended} sessions ended")


@fault("F8", "connections used up; a lock held", "a role's connections taken until the server refuses, for 20 s, with "
       "its own sessions ended; then ACCESS EXCLUSIVE on lanes for 20 s", "I1–I8, back-pressure", 15)  # fmt: skip
def nothing_to_be_had(ground: Ground, chance: random.Random) -> Measured:
    """First no session, then no lock, for one service after the other's luck."""
    service = chance.choice(SERVICES)

    async def exhaust() -> int:
        superuser, held = await connect(ground, postgres.SUPERUSER), list[Any]()
        await superuser.execute(CUT, list(SERVICES))
        try:
            while True:
                held.append(await connect(ground, service))
        except asyncpg.TooManyConnectionsError:
            await superuser.execute(CUT.replace("$1", f"ARRAY{[s for s in SERVICES if s != service]}::text[]"))
            await asyncio.sleep(20)
        for connection in held:
            await connection.close()
        await superuser.close()
        return len(held)

    async def lock() -> None:
        superuser = await connect(ground, postgres.SUPERUSER, service)
        await superuser.execute("SET idle_in_transaction_session_timeout = 0")
        async with superuser.transaction():
            await superuser.execute("LOCK TABLE lanes IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(20)
        await superuser.close()

    taken = asyncio.run(exhaust())
    first = ground.recovery(SERVICES, time.monotonic())
    asyncio.run(lock())
    return Measured([first, ground.recovery(SERVICES, time.monotonic())], f"{taken} connections taken of {service}")
