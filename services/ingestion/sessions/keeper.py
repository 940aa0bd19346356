"""The sessions of a process. Each speaks to the broker as its agency, so that the broker alone says who is who.

A session is opened by the password that came with a call, publishes nothing but what was handed in, and is closed ten
minutes after the last call.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple, cast

from aiokafka import conn
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
)

from services.chassis import kafka
from services.chassis.errors import Transient
from services.chassis.settings import Settings, address
from services.ingestion.domain.agency import CODE
from services.ingestion.sessions.session import NotAuthenticated, Session

IDLE_S = 600.0  # after the last call, and the longest that a password is believed without asking the broker
MOST = 100  # sessions of one process
LONGEST = 1_000  # characters of a password
WRONG_S = 1.0  # what a wrong password costs whoever gave it
LOOK_S = 30.0


class Opened(NamedTuple):
    """A session, the password it was opened with (keyed, not to be read back), and two moments."""

    session: Session
    proof: bytes
    believed: float  # when the broker last agreed to the password
    used: float


class AgencySessions:
    """The sessions of this process, one an agency."""

    def __init__(self, settings: Settings, clock_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._clock_ms = clock_ms
        self._salt = secrets.token_bytes(16)
        self._opened: dict[str, Opened] = {}
        self._opening = asyncio.Lock()

    async def of(self, agency: str, password: str) -> Session:
        """The agency's session; raises `NotAuthenticated`, and `Transient` while the broker is away."""
        if not CODE.fullmatch(agency) or not 0 < len(password) <= LONGEST:
            raise NotAuthenticated
        proof = hashlib.blake2b(password.encode(), key=self._salt).digest()
        known = self._known(agency, proof)
        if known is None or self._now() - known.believed >= IDLE_S:
            await self._authenticate(agency, password)
            async with self._opening:
                known = self._known(agency, proof) or await self._open(agency, password, proof)
                known = known._replace(believed=self._now())
        self._opened[agency] = known._replace(used=self._now())
        return known.session

    def _known(self, agency: str, proof: bytes) -> Opened | None:
        known = self._opened.get(agency)
        return known if known and known.session.alive and hmac.compare_digest(known.proof, proof) else None

    async def _open(self, agency: str, password: str, proof: bytes) -> Opened:
        if agency in self._opened:
            await self._drop(agency)
        if len(self._opened) >= MOST:
            raise Transient("sessions", "too many agencies at this door")
        session = Session(agency, self._as(agency, password), self._clock_ms)
        await session.start()
        self._opened[agency] = Opened(session, proof, self._now(), self._now())
        return self._opened[agency]

    def _as(self, agency: str, password: str) -> Settings:
        return replace(self._settings, kafka_user=agency, kafka_password=password)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _authenticate(self, agency: str, password: str) -> None:
        """Ask the broker itself: its clients would only say that they cannot connect."""
        given = kafka.connection(self._as(agency, password))
        names = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
        where = address(self._settings.kafka.split(",")[0])
        try:
            connection: Any = await cast(Any, conn).create_conn(
                where.host, where.port, request_timeout_ms=kafka.ANSWER_MS, **{name: given[name] for name in names}
            )
        except (AuthenticationFailedError, SaslAuthenticationFailed) as error:
            await asyncio.sleep(WRONG_S)
            raise NotAuthenticated from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise Transient("broker", type(error).__name__) from error
        connection.close()

    async def keep(self) -> None:
        """Close what nobody uses; when the process ends, everything."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                await self._tidy()
        finally:
            for agency in list(self._opened):
                await self._drop(agency)

    async def _tidy(self) -> None:
        for agency, known in list(self._opened.items()):
            if not known.session.alive or self._now() - known.used >= IDLE_S:
                await self._drop(agency)

    async def _drop(self, agency: str) -> None:
        known = self._opened.pop(agency)
        with suppress(KafkaError, OSError):
            await known.session.close()
