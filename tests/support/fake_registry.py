"""A schema registry over real HTTP for unit tests: the calls we use, ids by content, and a switch to be away."""

from __future__ import annotations

from types import TracebackType

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler


class FakeRegistry:
    """Use as an async context manager; `away` answers 503, `refuse` names subjects that are incompatible."""

    def __init__(self) -> None:
        self.away = False
        self.refuse: set[str] = set()
        self.ids: dict[str, int] = {}
        self.subjects: dict[str, list[int]] = {}
        self.level = ""
        self.asked: list[int] = []
        application = web.Application(middlewares=[self._gate])
        application.router.add_post("/subjects/{subject}/versions", self._register)
        application.router.add_get("/schemas/ids/{id}", self._schema)
        application.router.add_put("/config", self._config)
        self._server = TestServer(application)

    async def __aenter__(self) -> FakeRegistry:
        await self._server.start_server()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close()

    @property
    def url(self) -> str:
        """Where to find it."""
        return str(self._server.make_url("")).rstrip("/")

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        return web.json_response({}, status=503) if self.away else await handler(request)

    async def _register(self, request: web.Request) -> web.Response:
        subject, text = request.match_info["subject"], (await request.json())["schema"]
        if subject in self.refuse:
            return web.json_response({"error_code": 409, "message": "incompatible"}, status=409)
        number = self.ids.setdefault(text, len(self.ids) + 1)
        self.subjects.setdefault(subject, []).append(number)
        return web.json_response({"id": number})

    async def _schema(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        self.asked.append(number)
        for text, known in self.ids.items():
            if known == number:
                return web.json_response({"schema": text})
        return web.json_response({"error_code": 40403, "message": "no such schema"}, status=404)

    async def _config(self, request: web.Request) -> web.Response:
        self.level = (await request.json())["compatibility"]
        return web.json_response({"compatibility": self.level})
