"""The gRPC server of a process: health, reflection, a deadline on every call, and a stop that lets calls end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, cast

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.chassis import logs
from services.chassis.errors import Transient
from services.chassis.settings import Address

GRACE_S = 5.0
LOOK_EVERY_S = 0.5
FREE = ("/grpc.health.", "/grpc.reflection.")  # watched without end by design
OPTIONS = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 1_048_576))

Registration = Callable[[grpc.aio.Server], None]
Context = Any  # grpc.aio.ServicerContext, whose stubs know no missing deadline
HANDLER_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class GrpcServer:
    """Use as an async context manager; serves `registrations`, healthy for as long as `ready` says so.

    Entering raises `Transient` while the port is somebody else's; one that failed to enter is not entered again.
    """

    def __init__(self, address: Address, registrations: Sequence[Registration], ready: Callable[[], bool]) -> None:
        self.address = address
        self._registrations = registrations
        self._ready = ready
        self._names: list[str] = []
        self._health: Any = cast(Any, health).aio.HealthServicer()  # `aio` is missing in the stubs

    async def __aenter__(self) -> GrpcServer:
        aio = cast(Any, grpc.aio)  # its stubs leave type arguments open
        self._server: grpc.aio.Server = aio.server(interceptors=[_Guard()], options=OPTIONS)
        named = cast(grpc.aio.Server, _Named(self._server, self._names))
        for register in self._registrations:
            register(named)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, named)
        reflection.enable_server_reflection([*self._names, reflection.SERVICE_NAME], self._server)
        try:
            self.address = Address(self.address.host, self._server.add_insecure_port(str(self.address)))
        except RuntimeError as error:  # the library's only word for a port that cannot be had
            raise Transient("grpc_port", str(self.address)) from error
        await self._show()
        await self._server.start()
        self._looking = asyncio.create_task(self._look(), name="grpc-health")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        await self._health.enter_graceful_shutdown()
        await self._server.stop(GRACE_S)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._show()

    async def _show(self) -> None:
        answers = health_pb2.HealthCheckResponse
        status = answers.SERVING if self._ready() else answers.NOT_SERVING
        for name in ("", *self._names):
            await self._health.set(name, status)


class _Named:
    """Passes registrations on and notes the services' names, for health and reflection."""

    def __init__(self, server: grpc.aio.Server, names: list[str]) -> None:
        self._server: Any = server
        self._names = names

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        self._names += [handler.service_name() for handler in handlers]
        self._server.add_generic_rpc_handlers(handlers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)


class _Guard(grpc.aio.ServerInterceptor):  # pyright: ignore[reportMissingTypeArgument] - generic in the stubs only
    """No call without a deadline, and no exception text to the caller: it could quote a row."""

    def __init__(self) -> None:
        self._guarded: dict[str, Any] = {}  # by method, of which there are as many as are registered

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        method = handler_call_details.method
        if method in self._guarded:
            return self._guarded[method]
        handler: Any = await continuation(handler_call_details)
        if handler is None or method.startswith(FREE):
            return handler
        guarded = self._guarded[method] = self._guard(handler, method)
        return guarded

    def _guard(self, handler: Any, method: str) -> Any:
        kind = next(kind for kind in HANDLER_KINDS if getattr(handler, kind) is not None)
        guard = _guarded_stream if kind.endswith("_stream") else _guarded_call
        wrap = getattr(grpc, f"{kind}_rpc_method_handler")
        return wrap(
            guard(getattr(handler, kind), method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _guarded_call(behaviour: Callable[[Any, Context], Awaitable[Any]], method: str) -> Any:
    async def call(request: Any, context: Context) -> Any:
        await _demand_deadline(context)
        with logs.traced(_traceparent(context)):
            try:
                return await behaviour(request, context)
            except Exception as error:  # noqa: BLE001 - sorted in _end; the call ends, its text stays here
                await _end(context, method, error)

    return call


def _guarded_stream(behaviour: Callable[[Any, Context], AsyncIterator[Any]], method: str) -> Any:
    async def call(request: Any, context: Context) -> AsyncIterator[Any]:
        await _demand_deadline(context)
        try:
            async for answer in behaviour(request, context):
                yield answer
        except Exception as error:  # noqa: BLE001 - as above
            await _end(context, method, error)

    return call


async def _demand_deadline(context: Context) -> None:
    if context.time_remaining() is None:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_REQUIRED")


async def _end(context: Context, method: str, error: Exception) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error  # the handler's own answer
    if isinstance(error, Transient):
        await context.abort(grpc.StatusCode.UNAVAILABLE, "TRY_AGAIN")
    logs.log_error("call_failed", error, method=method)
    await context.abort(grpc.StatusCode.INTERNAL, "INTERNAL")


def _traceparent(context: Context) -> bytes | None:
    metadata: dict[str, str | bytes] = dict(context.invocation_metadata() or ())
    found = metadata.get("traceparent")
    return found.encode() if isinstance(found, str) else found
