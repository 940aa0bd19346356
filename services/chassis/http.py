"""The process' own HTTP door: /metrics, /livez, /readyz. Nothing else is served here."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from aiohttp import web
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from services.chassis.errors import Transient
from services.chassis.settings import Address


def _not_yet() -> bool:
    return False


def _always() -> bool:
    return True


class Probes:
    """Answers from the first moment of the process; `ready` is set once there is something to ask.

    Entering raises `Transient` while the port is somebody else's.
    """

    def __init__(
        self,
        address: Address,
        ready: Callable[[], bool] = _not_yet,
        live: Callable[[], bool] = _always,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self.address = address
        self.ready = ready
        self.live = live
        self._registry = registry

    async def __aenter__(self) -> Probes:
        application = web.Application()
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/livez", self._livez)
        application.router.add_get("/readyz", self._readyz)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.address.host, self.address.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise Transient("http_port", str(self.address)) from error
        self.address = Address(*self._runner.addresses[0][:2])  # with port 0 the system has chosen one
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _livez(self, request: web.Request) -> web.Response:
        return _answer(self.live())

    async def _readyz(self, request: web.Request) -> web.Response:
        return _answer(self.ready())


def _answer(well: bool) -> web.Response:
    return web.Response(text="ok\n" if well else "no\n", status=200 if well else 503)
