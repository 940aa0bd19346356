"""One service process from start to end: settings, store, schemas, lanes, probes, gRPC, graceful stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any

import asyncpg
import grpc.aio
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.chassis import (
    batch,
    breaker,
    carrying_out,
    clock,
    garbage,
    kafka,
    logs,
    postgres,
    refusing,
    routing,
)
from services.chassis.authority import Authority, register_file
from services.chassis.ending import Ending, unless
from services.chassis.errors import Transient
from services.chassis.grpc_server import GRACE_S, GrpcServer
from services.chassis.handling import Service
from services.chassis.http import Probes
from services.chassis.loop import LaneLoop
from services.chassis.message import Headers, Outgoing
from services.chassis.metrics import STALLED, LaneMetrics
from services.chassis.publishing import Ends, Publisher
from services.chassis.schemas import Schemas
from services.chassis.settings import Settings
from services.chassis.surroundings import Surroundings
from services.chassis.watchdog import Watchdog

GrpcRegistration = Callable[[grpc.aio.Server], None]


class Runtime:
    """What the composition root of a service may use."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool[Any], schemas: Schemas) -> None:
        self.settings = settings
        self.pool = pool
        self.schemas = schemas
        self.metrics = LaneMetrics(settings.service)
        self.registrations: list[GrpcRegistration] = []
        producer = kafka.producer_settings(settings, role="sender")
        self._sender = Publisher(settings.service, producer, clock.now_ms)

    def clock_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return clock.now_ms()

    def grpc_add(self, registration: GrpcRegistration) -> None:
        """Add a servicer to the process' gRPC server."""
        self.registrations.append(registration)

    async def send(self, topic: str, key: bytes, value: bytes, headers: Headers = ()) -> None:
        """Publish one message that belongs to no lane (a command, an answer from outside); raises `Transient`."""
        await self.send_many([Outgoing(topic, key, value, None, headers)])

    async def send_many(self, messages: list[Outgoing]) -> Ends:
        """Publish messages that belong to no lane, in order; raises `Transient`."""
        return await self._sender.send(messages)

    async def close(self) -> None:
        """Close the sender."""
        await self._sender.stop()


def run_service(build: Callable[[Runtime], Service]) -> None:
    """Run until SIGTERM or SIGINT; a bug ends the process with its traceback in the log and exit code 1."""
    settings = Settings.from_environment()
    logs.configure(settings)
    with asyncio.Runner() as runner:
        runner.run(_run(settings, build))


async def _run(settings: Settings, build: Callable[[Runtime], Service]) -> None:
    stop, ending = asyncio.Event(), Ending()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        probes = Probes(settings.http)
        await _patiently(lambda: stack.enter_async_context(probes), stop)
        pool = await _patiently(lambda: postgres.open_pool(settings), stop)
        stack.push_async_callback(ending.put_away, "database", pool.close)
        schemas = Schemas(settings.registry, settings.avro)
        await stack.enter_async_context(schemas)
        await _patiently(schemas.register_all, stop)
        runtime = Runtime(settings, pool, schemas)
        stack.push_async_callback(ending.put_away, "sender", runtime.close)
        service = build(runtime)
        around = replace(surroundings(runtime, service), rest=garbage.sweeper())  # a replay keeps Python's own way
        checked = register_file(settings.environment) is not None
        logs.log("commands_checked", status="on" if checked else "off")

        def serve() -> Awaitable[GrpcServer]:
            server = GrpcServer(settings.grpc, runtime.registrations, lambda: probes.ready())
            return stack.enter_async_context(ending.bounded("grpc", server, GRACE_S))

        await _patiently(serve, stop)  # before joining: a process that has no door must not hold lanes meanwhile
        loop, consumer = await _patiently(lambda: _join(settings, around), stop)
        stack.push_async_callback(ending.put_away, "publisher", around.publisher.stop)
        stack.push_async_callback(ending.put_away, "consumer", consumer.stop)
        probes.ready = lambda: loop.ready
        watchdog = Watchdog(loop.pulse, STALLED.set)
        stack.callback(watchdog.stop)
        watchdog.start()
        await _work(loop, consumer, service, runtime, stop, watchdog, ending)


async def _patiently(attempt: Callable[[], Awaitable[Any]], stop: asyncio.Event) -> Any:
    """Try until it works or the process is told to stop; the database, broker or registry may start after us."""
    pause = 0.1
    while not stop.is_set():
        try:
            return await unless(stop, attempt)
        except Transient as trouble:
            logs.log("waiting_for_dependency", what=str(trouble.args[:1]))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(pause * 2, 5.0)
    raise SystemExit(0)


def surroundings(runtime: Runtime, service: Service) -> Surroundings:
    """What the lane loop of this process works with."""
    settings, schemas, name = runtime.settings, runtime.schemas, service.name
    authority = Authority(name, schemas, register_file(settings.environment))
    own = (
        *carrying_out.handlers(name, schemas),
        breaker.handler(name, schemas),
        refusing.handler(name, schemas, authority),
    )
    whole = replace(service, handlers=(*service.handlers, *own))
    return Surroundings(
        service=whole,
        decider=batch.Decider(whole, routing.router(whole, authority.type_of)),
        publisher=Publisher(settings.service, kafka.producer_settings(settings), clock.now_ms),
        schemas=schemas,
        transaction=lambda: postgres.transaction(runtime.pool),
        clock_ms=clock.now_ms,
        observer=runtime.metrics,
    )


async def _join(settings: Settings, around: Surroundings) -> tuple[LaneLoop, Any]:
    """A consumer that has joined its group, with the loop as its listener; raises `Transient`."""
    pattern = routing.pattern_of(around.service)
    kafka.consume_messages()
    consumer: Any = AIOKafkaConsumer(**kafka.consumer_settings(settings, pattern))
    loop = LaneLoop(around, consumer)
    consumer.subscribe(pattern=pattern, listener=loop)
    try:
        await consumer.start()
    except (KafkaError, OSError) as error:
        await consumer.stop()  # a consumer that failed to start cannot be started again
        raise Transient("broker", type(error).__name__) from error
    kafka.ask_for_assignment(consumer)
    return loop, consumer


async def _work(
    loop: LaneLoop,
    consumer: Any,
    service: Service,
    runtime: Runtime,
    stop: asyncio.Event,
    watchdog: Watchdog,
    ending: Ending,
) -> None:
    turning = asyncio.create_task(loop.run(), name="lanes")
    others = [asyncio.create_task(task()) for task in service.background]
    others.append(asyncio.create_task(_report(loop, runtime), name="report"))
    others.append(asyncio.create_task(_beat(loop, consumer), name="beat"))
    others.append(asyncio.create_task(_until(stop), name="stop"))
    done, _ = await asyncio.wait([turning, *others], return_when=asyncio.FIRST_COMPLETED)
    watchdog.stop()
    loop.stop()
    await ending.finish(turning, others)
    for task in done:
        task.result()  # a bug: let it end the process
    logs.log("stopped")


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def _beat(loop: LaneLoop, consumer: Any) -> None:
    """Apart from `_report`, which asks the store: while that is away the loop turns all the same."""
    while True:
        await asyncio.sleep(1)
        kafka.check_metadata(consumer)
        loop.beat()


async def _report(loop: LaneLoop, runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(1)
        loop.report_lag()
        await runtime.metrics.look(runtime.pool)
        await loop.show_offsets()
