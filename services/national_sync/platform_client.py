"""The national platform over HTTPS: one batch out, one answer per record back."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, cast

import aiohttp
import msgspec

from services.chassis.errors import Transient
from services.national_sync.config import NationalConfig
from services.national_sync.domain.events import Verdict

TIMEOUT_S = 20.0
JSON = {"Content-Type": "application/json"}
ANSWER_LIMIT = 4_000_000
NONSENSE = (msgspec.DecodeError, KeyError, TypeError, ValueError, RecursionError)
VERDICTS: dict[str, Verdict] = {"ACK": "ACKNOWLEDGED", "REFUSED": "REFUSED", "RETRY": "TRANSIENT"}


class Told(NamedTuple):
    """What became of one pushed record."""

    verdict: Verdict
    code: str
    text: str


class PlatformClient:
    """Believes no certificate authority but the platform's own; follows no redirect, uses no proxy."""

    def __init__(self, config: NationalConfig, timeout_s: float = TIMEOUT_S) -> None:
        self._config = config
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> PlatformClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # The certificate may appear, or be replaced, while we run: it is read whenever a session is opened.
            pinned = ssl.create_default_context(cafile=str(self._config.ca))
            connector = aiohttp.TCPConnector(ssl=pinned, limit=4)
            self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        return self._session

    async def push(self, records: Sequence[Mapping[str, Any]]) -> list[Told]:
        """Push records (each with its idempotency `key`); one answer for each, in order, whatever happens."""
        try:
            status, body = await self._request("POST", "/v1/records", msgspec.json.encode({"records": records}))
        except Transient as trouble:
            return [Told("TRANSIENT", str(trouble.args[1]), "")] * len(records)
        if 400 <= status < 500 and status not in (408, 429):
            return await self._refused_whole(records, status)
        if status != 200:
            return [Told("TRANSIENT", "HTTP_ERROR", str(status))] * len(records)
        answers = _answers(body)
        if answers is None:
            return [Told("TRANSIENT", "GARBAGE", "")] * len(records)
        return [answers.get(str(record["key"]), Told("TRANSIENT", "NO_ANSWER", "")) for record in records]

    async def _refused_whole(self, records: Sequence[Mapping[str, Any]], status: int) -> list[Told]:
        """The request was refused as a whole: halve it until the record is found that the platform cannot take."""
        if len(records) == 1:
            return [Told("REFUSED", f"HTTP_{status}", "")]
        half = len(records) // 2
        return [*await self.push(records[:half]), *await self.push(records[half:])]

    async def counts(self) -> dict[str, int]:
        """How many records of each item the platform holds by its own count; raises `Transient`."""
        status, body = await self._request("GET", "/v1/counts", None)
        try:
            found = cast(dict[str, Any], msgspec.json.decode(body)["counts"])
            if status == 200:
                return {item: int(entry["active"]) for item, entry in found.items()}
        except (*NONSENSE, AttributeError):
            pass
        raise Transient("national", "GARBAGE")

    async def _request(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        """Status and body; raises `Transient` with why there is no answer."""
        try:
            async with self._open().request(
                method, self._config.url + path, data=content, headers=JSON, allow_redirects=False
            ) as response:
                return response.status, await _whole(response)
        except TimeoutError as error:
            raise Transient("national", "TIMEOUT") from error
        except (aiohttp.ClientError, OSError) as error:
            await self._close()
            raise Transient("national", "UNREACHABLE") from error


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > ANSWER_LIMIT:
            raise aiohttp.ClientPayloadError("too long")
    return bytes(body)


def _answers(body: bytes) -> dict[str, Told] | None:
    """Answers by key; None for what is not an answer. Entries that make no sense are left out: NO_ANSWER."""
    try:
        entries: Any = msgspec.json.decode(body)["answers"]
        return {str(e["key"]): told for e in entries if (told := _told(e)) is not None}
    except NONSENSE:
        return None


def _told(entry: Any) -> Told | None:
    verdict = VERDICTS.get(entry["answer"])
    return None if verdict is None else Told(verdict, str(entry.get("code", "")), str(entry.get("text", "")))
