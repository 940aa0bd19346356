"""One agency at the gRPC door: what an agency with a Kafka client has, a producer and a reader of its receipts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from services.chassis import kafka
from services.chassis.errors import Transient, Unhandleable
from services.chassis.message import Outgoing
from services.chassis.prefix import prefix_reader
from services.chassis.publishing import Publisher
from services.chassis.settings import Settings
from services.ingestion.contracts.answers import receipts_topic
from services.ingestion.contracts.submissions import SUBMIT, VERSION

KEPT = 2_000  # receipts a session remembers
HEAD = 5  # the frame before the body
read_id = prefix_reader(["string"])


class NotAuthenticated(Exception):
    """The broker does not know this agency by this password."""


class Session:
    """One agency's producer and the receipts it has heard."""

    def __init__(self, agency: str, settings: Settings, clock_ms: Callable[[], int]) -> None:
        self.agency = agency
        self._settings = settings
        self._publisher = Publisher(settings.service, kafka.producer_settings(settings, f"door-{agency}"), clock_ms)
        self._publishing = asyncio.Lock()
        self._consumer = self._reader()
        self._heard: OrderedDict[str, bytes] = OrderedDict()
        self._waiting: dict[str, list[asyncio.Future[bytes]]] = defaultdict(list)
        self._listening: asyncio.Task[None] | None = None

    def _reader(self) -> Any:  # an AIOKafkaConsumer, which has no types; without a group it has all partitions
        wanted: dict[str, Any] = kafka.reader_settings(self._settings) | {"auto_offset_reset": "latest"}
        return AIOKafkaConsumer(receipts_topic(self.agency), **wanted)

    async def start(self) -> None:
        """Stand at the end of the agency's receipts; raises `Transient`, and `NotAuthenticated` for who has none."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._consumer.stop)
            await self._stand()
            await self._publisher.start()
            stack.pop_all()
        self._listening = asyncio.create_task(self._listen(), name="receipts of a session")

    async def _stand(self) -> None:
        try:
            await _started(self._consumer)
            for place in self._consumer.assignment():
                await self._consumer.seek_to_end(place)
                await self._consumer.position(place)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Transient("broker", type(error).__name__) from error

    @property
    def alive(self) -> bool:
        """Whether it still hears."""
        return self._listening is not None and not self._listening.done()

    async def close(self) -> None:
        """Leave the broker; whoever waits is told to try again."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._publisher.stop()
        await self._consumer.stop()
        for future in [future for waiting in self._waiting.values() for future in waiting if not future.done()]:
            future.set_exception(Transient("broker", "session closed"))

    async def submit(self, submission_id: str, key: bytes, value: bytes) -> bytes:
        """Publish a submission and wait for what is said of it first: the framed receipt. Raises `Transient`."""
        message = Outgoing(f"{SUBMIT}{self.agency}{VERSION}", key, value)
        with Awaited(self._waiting, submission_id) as receipt:
            await asyncio.shield(asyncio.create_task(self._publish(message)))  # a caller who leaves breaks no batch
            return await receipt

    async def _publish(self, message: Outgoing) -> None:
        async with self._publishing:
            await self._publisher.send([message])

    async def find(self, submission_id: str, since_ms: int) -> bytes | None:
        """The newest receipt of a submission made since then; raises `Transient`."""
        if submission_id in self._heard:
            return self._heard[submission_id]
        reader = self._reader()
        try:
            await _started(reader)
            return await _search(reader, submission_id, since_ms)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Transient("broker", type(error).__name__) from error
        finally:
            await reader.stop()

    async def _listen(self) -> None:
        while True:
            try:
                fetched: dict[Any, list[Any]] = await self._consumer.getmany(timeout_ms=1000)
            except KafkaError:
                return  # the next call makes a new session
            for messages in fetched.values():
                for message in messages:
                    self._hear(message.value)

    def _hear(self, value: bytes | None) -> None:
        name = id_of(value)
        if name is None or value is None:
            return
        self._heard[name] = value
        if len(self._heard) > KEPT:
            self._heard.popitem(last=False)
        for future in self._waiting.pop(name, ()):
            if not future.done():
                future.set_result(value)


async def _started(reader: Any) -> None:
    try:
        await reader.start()
    except (TopicAuthorizationFailedError, UnknownTopicOrPartitionError) as error:
        raise NotAuthenticated from error  # it may not read its own receipts: it is no agency


async def _search(reader: Any, submission_id: str, since_ms: int) -> bytes | None:
    ends: dict[Any, int] = await reader.end_offsets(list(reader.assignment()))
    begins: dict[Any, Any] = await reader.offsets_for_times(dict.fromkeys(ends, max(since_ms, 0)))
    todo = {at: found.offset for at, found in begins.items() if found and found.offset < ends[at]}
    for at, offset in todo.items():
        reader.seek(at, offset)
    newest: bytes | None = None
    while todo:
        fetched: dict[Any, list[Any]] = await reader.getmany(*todo, timeout_ms=500)
        for at, messages in fetched.items():
            newest = next((m.value for m in reversed(messages) if id_of(m.value) == submission_id), newest)
            if messages and messages[-1].offset + 1 >= ends[at]:
                todo.pop(at, None)
    return newest


class Awaited:
    """A receipt that somebody waits for; leaving forgets it."""

    def __init__(self, waiting: dict[str, list[asyncio.Future[bytes]]], submission_id: str) -> None:
        self._waiting = waiting
        self._id = submission_id
        self._future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def __enter__(self) -> asyncio.Future[bytes]:
        self._waiting[self._id].append(self._future)
        return self._future

    def __exit__(self, *_: object) -> None:
        waiting = self._waiting.get(self._id, [])
        if self._future in waiting:
            waiting.remove(self._future)
        if not waiting:
            self._waiting.pop(self._id, None)


def id_of(value: bytes | None) -> str | None:
    """The submission id in a framed receipt, which it begins with."""
    try:
        return None if value is None else read_id(value, HEAD)[0]
    except Unhandleable:
        return None
