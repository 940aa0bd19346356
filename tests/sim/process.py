"""One service process as its supervisor sees it: started, frozen, killed (at a crash point too), started again."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from aiokafka.errors import KafkaError

from services.chassis import batch, kafka, routing, runtime
from services.chassis.errors import Transient
from services.chassis.handling import Handler, Service
from services.chassis.loop import LaneLoop
from services.chassis.message import Headers, Message, Moment, Outgoing
from services.chassis.publishing import Ends, Publisher
from services.chassis.settings import Address, Settings
from services.disclosure.main import build as build_disclosure
from services.identity.main import build as build_identity
from services.ingestion.main import build as build_ingestion
from services.national_sync.main import build as build_national_sync
from services.sanctions.main import build as build_sanctions
from tests.sim.consumer import Consumer
from tests.sim.shared import shared
from tests.sim.store.connection import Pool
from tests.sim.store.transactions import current
from tests.sim.virtual import OWNER, Owner

BUILDS: dict[str, Callable[[Any], Service]] = {
    "ingestion": build_ingestion,
    "identity": build_identity,
    "disclosure": build_disclosure,
    "sanctions": build_sanctions,
    "national_sync": build_national_sync,
}
SERVICES = tuple(BUILDS)
REPORT_S = 2.0


class Killed(BaseException):
    """SIGKILL at a crash point; nothing catches it, and nothing of the process runs after it."""


class SimRuntime:
    """What `services.chassis.runtime.Runtime` gives a composition root, on the world's clock, store and broker."""

    def __init__(self, world: Any, service: str, worker: int) -> None:
        self._world = world
        self.settings = settings(service, worker)
        self.schemas = shared().fork(world.troubles)
        self.pool = Pool(world.databases[service], world.troubles)
        self.metrics = Recorder()
        producer = kafka.producer_settings(self.settings, role="sender")
        self._sender = Publisher(service, producer, self.clock_ms)

    def clock_ms(self) -> int:
        """The virtual time."""
        return self._world.loop.now_ms()

    def grpc_add(self, registration: object) -> None:
        """Nobody asks here."""

    async def send(self, topic: str, key: bytes, value: bytes, headers: Headers = ()) -> None:
        """As `Runtime` does."""
        await self.send_many([Outgoing(topic, key, value, None, headers)])

    async def send_many(self, messages: list[Outgoing]) -> Ends:
        """As `Runtime` does."""
        return await self._sender.send(messages)


class Recorder:
    """An observer that has nothing to say."""

    def batch(self, batch: batch.Batch, seconds: float) -> None: ...
    def lag(self, topic: str, messages: int, seconds: float) -> None: ...
    def oldest_s(self, family: str) -> float:
        return 0.0

    def published(self, count: int) -> None: ...
    def transient(self, error: Transient) -> None: ...
    def event(self, name: str, **fields: object) -> None: ...


def settings(service: str, worker: int) -> Settings:
    """Settings of a service that connects to nothing."""
    nowhere = Address("127.0.0.1", 1)
    environment = {"CREDIT_NATIONAL_URL": "https://national", "CREDIT_NATIONAL_CA": "ca.pem"}
    environment["CREDIT_IDENTITY_GRPC"] = "127.0.0.1:1"
    secrets = shared().secrets
    return Settings(
        service, worker, "k:1", "u", "p", "pg://x/y", "p", "http://r", nowhere, nowhere, secrets, secrets, environment
    )  # fmt: skip


class Process:
    """One place in the supervisor's list; `owner` is the run that lives now."""

    def __init__(self, world: Any, service: str, worker: int) -> None:
        self.world, self.service, self.worker = world, service, worker
        self.name = f"{service}-{worker}"
        self.owner: Owner | None = None
        self.loop: LaneLoop | None = None
        self.consumer: Consumer | None = None
        self.wanted = True  # whether the supervisor starts it again
        self.armed: dict[str, int] = {}
        self.stops: dict[str, float] = {}  # seconds, for points at which it is frozen instead of killed
        self.deaths = 0
        self.bugs: list[str] = []

    # --- as the supervisor -------------------------------------------------------------------------------------

    def start(self) -> None:
        """A new run, if it is wanted and there is none."""
        if self.owner is not None or not self.wanted:
            return
        self.owner = Owner(self.name)
        cast(Any, self.owner).process = self
        context = contextvars.copy_context()
        context.run(OWNER.set, self.owner)
        task = self.world.loop.create_task(self._main(), name=self.name, context=context)
        task.add_done_callback(self._ended, context=self.world.outside)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = task.exception() if not task.cancelled() else None
        if error is not None and not isinstance(error, Killed):
            self.bugs.append(type(error).__name__)
            self.world.died_of(self, error)
        self.kill()

    def kill(self) -> None:
        """SIGKILL: the server rolls back what is open, unless its commit is on the way."""
        owner, self.owner = self.owner, None
        if owner is None:
            return
        self.world.loop.kill(owner)
        self.deaths += 1
        self.world.forget(self.service, owner)
        pause = self.world.chance.choice((0.02, 0.1, 0.5, 3.0))
        self.world.loop.call_later(pause, self.start, context=self.world.outside)

    def freeze(self, seconds: float) -> None:
        """SIGSTOP; the server ends a transaction that is idle for five seconds."""
        owner, world = self.owner, self.world
        if owner is None or owner.state != "alive":
            return
        world.loop.freeze(owner)
        if seconds > 5:
            world.loop.call_later(5, world.forget, self.service, owner, context=world.outside)
        world.loop.call_later(seconds, world.loop.thaw, owner, context=world.outside)

    def passes(self, point: str) -> None:
        """A crash point is passed; raises `Killed` at the armed pass, unless it stops there."""
        if point not in self.armed:
            return
        self.armed[point] -= 1
        if self.armed[point] > 0:
            return
        del self.armed[point]
        if seconds := self.stops.pop(point, 0.0):
            self.world.log(f"froze {self.name} at {point} for {seconds:.1f} s")
            self.freeze(seconds)
            return
        self.world.log(f"killed {self.name} at {point}")
        self.kill()
        raise Killed

    # --- as the process ----------------------------------------------------------------------------------------

    async def _main(self) -> None:
        sim: Any = SimRuntime(self.world, self.service, self.worker)
        service = BUILDS[self.service](sim)
        service = replace(service, handlers=tuple(map(self._watched, service.handlers)))
        around = runtime.surroundings(sim, service)  # the composition of production
        pattern = routing.pattern_of(around.service)
        consumer = self.consumer = Consumer(self.world.broker, sim.settings.group, self.name)
        loop = self.loop = LaneLoop(around, consumer)
        consumer.subscribe(pattern, loop)
        await self._join(consumer)
        tasks = [asyncio.create_task(loop.run()), asyncio.create_task(_report(loop))]
        tasks += [asyncio.create_task(work()) for work in service.background]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def _join(self, consumer: Consumer) -> None:
        while True:
            try:
                return await consumer.start()
            except KafkaError:
                await asyncio.sleep(0.5)

    def _watched(self, handler: Handler) -> Handler:
        def read(message: Message, moment: Moment) -> Any:
            self.world.poison.strike(self.service, message)
            given = handler.read(message, moment)
            current().notes.append(message)
            return given

        return replace(handler, read=read, read_many=None)  # singly, so that poison strikes a message and not a batch


async def _report(loop: LaneLoop) -> None:
    while True:
        await asyncio.sleep(REPORT_S)
        loop.report_lag()
        await loop.show_offsets()
