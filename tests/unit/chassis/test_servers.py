"""The two doors of a process: probes over HTTP, and gRPC with health, reflection and mandatory deadlines."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.chassis.errors import Transient
from services.chassis.grpc_server import GrpcServer
from services.chassis.http import Probes
from services.chassis.settings import Address

ANYWHERE = Address("127.0.0.1", 0)


async def get(address: Address, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://{address}{path}") as response:
        return response.status, await response.text()


async def test_probes() -> None:
    async with Probes(ANYWHERE) as probes:
        assert (await get(probes.address, "/livez"))[0] == 200
        assert (await get(probes.address, "/readyz"))[0] == 503
        probes.ready = lambda: True
        assert (await get(probes.address, "/readyz"))[0] == 200
        status, text = await get(probes.address, "/metrics")
        assert (status, "credit_build_info" in text) == (200, True)
        assert (await get(probes.address, "/"))[0] == 404


class Echo:
    """A servicer without generated stubs."""

    async def say(self, request: bytes, context: Any) -> bytes:
        if request == b"bug":
            raise KeyError("演示公司 91420100MA4KXXXX0A")
        if request == b"away":
            raise Transient("database", "ConnectionRefusedError")
        if request == b"no":
            await context.abort(grpc.StatusCode.NOT_FOUND, "NO_SUCH_RECORD")
        return request

    async def say_twice(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield request
        yield await self.say(request, context)


def register(server: grpc.aio.Server) -> None:
    echo = Echo()
    handlers: Any = {
        "Say": grpc.unary_unary_rpc_method_handler(echo.say),
        "SayTwice": grpc.unary_stream_rpc_method_handler(echo.say_twice),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))


async def test_calls_need_a_deadline_and_errors_tell_nothing() -> None:
    async with (
        GrpcServer(ANYWHERE, [register], lambda: True) as server,
        grpc.aio.insecure_channel(str(server.address)) as channel,
    ):
        say = channel.unary_unary("/test.Echo/Say")
        assert await say(b"hello", timeout=5) == b"hello"
        assert [a async for a in channel.unary_stream("/test.Echo/SayTwice")(b"x", timeout=5)] == [b"x", b"x"]
        expected = [
            (b"hello", None, grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_REQUIRED"),
            (b"bug", 5, grpc.StatusCode.INTERNAL, "INTERNAL"),
            (b"away", 5, grpc.StatusCode.UNAVAILABLE, "TRY_AGAIN"),
            (b"no", 5, grpc.StatusCode.NOT_FOUND, "NO_SUCH_RECORD"),
        ]
        for request, timeout, code, details in expected:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await say(request, timeout=timeout)
            assert (caught.value.code(), caught.value.details()) == (code, details)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [a async for a in channel.unary_stream("/test.Echo/SayTwice")(b"bug", timeout=5)]
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INTERNAL, "INTERNAL")


async def test_health_follows_readiness_and_reflection_lists_the_services() -> None:
    ready = False
    async with (
        GrpcServer(ANYWHERE, [register], lambda: ready) as server,
        grpc.aio.insecure_channel(str(server.address)) as channel,
    ):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service="test.Echo")
        assert (await stub.Check(asked)).status == health_pb2.HealthCheckResponse.NOT_SERVING
        ready = True
        async for answer in stub.Watch(asked, timeout=5):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                break
        reflect: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        wish = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in reflect.ServerReflectionInfo(iter([wish]), timeout=5):
            names = {service.name for service in answer.list_services_response.service}
            assert {"test.Echo", "grpc.health.v1.Health"} <= names
            break


async def test_a_port_that_is_taken_is_waited_for() -> None:
    """A predecessor that still ends, or a client that was given the port by chance, goes away again."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = Address("127.0.0.1", holder.getsockname()[1])
        probes = Probes(taken)
        for door in (probes, GrpcServer(taken, [register], lambda: True)):
            with pytest.raises(Transient) as caught:
                async with door:
                    pass
            assert caught.value.args[1] == str(taken)
    async with probes:
        assert (await get(taken, "/livez"))[0] == 200
    async with GrpcServer(taken, [register], lambda: True) as server, grpc.aio.insecure_channel(str(taken)) as channel:
        assert server.address == taken
        assert await channel.unary_unary("/test.Echo/Say")(b"hello", timeout=5) == b"hello"
