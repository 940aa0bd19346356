"""A client of the schema registry's Confluent-compatible API: the three calls we need."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

import aiohttp

from services.chassis.errors import Transient

COMPATIBILITY = "FULL_TRANSITIVE"
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
TYPE = "application/vnd.schemaregistry.v1+json"
AWAY = (408, 429)
ATTEMPTS = 5  # the registry answers 409 or 5xx when two processes register the same schema in the same moment


class RegistryRefused(Exception):
    """The registry does not take this schema (incompatible, malformed): waiting does not help."""


class Registry:
    """Use as an async context manager; raises Transient while the registry is away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Registry:
        self._session = aiohttp.ClientSession(timeout=TIMEOUT, headers={"Content-Type": TYPE, "Accept": TYPE})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def register(self, subject: str, schema: str) -> int:
        """Register an edition and return its id; an edition registered before keeps the id it has."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, body = await self._call("POST", f"/subjects/{subject}/versions", {"schema": schema})
            except Transient:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(0.1 * attempt)
                continue
            if status == 200:
                return int(body["id"])
            raise RegistryRefused(subject, status, str(body.get("message", "")))
        raise AssertionError("unreachable")

    async def schema(self, schema_id: int) -> str | None:
        """The text of a schema, or None if there is none with this id."""
        status, body = await self._call("GET", f"/schemas/ids/{schema_id}")
        if status == 404:
            return None
        if status != 200:
            raise RegistryRefused(f"schema {schema_id}", status, str(body.get("message", "")))
        return str(body["schema"])

    async def set_compatibility(self, level: str = COMPATIBILITY) -> None:
        """The rule for every subject that has none of its own."""
        status, body = await self._call("PUT", "/config", {"compatibility": level})
        if status != 200:
            raise RegistryRefused("config", status, str(body.get("message", "")))

    async def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        assert self._session is not None, "use as an async context manager"
        try:
            async with self._session.request(method, self._url + path, json=body) as response:
                if response.status >= 500 or response.status in AWAY:
                    raise Transient("registry", f"status {response.status}")
                answer = await response.json(content_type=None)
                return response.status, answer
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Transient("registry", type(error).__name__) from error
