"""Reads lanes again, without a group: each lane forward only, as far as it is asked to."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.chassis.errors import Transient
from services.chassis.lanes import LaneId
from services.chassis.message import Message

WAIT_MS = 1000
PAUSE_S, PATIENCE_S = 1.0, 60.0


class Torn(Exception):
    """Topic and journal do not fit: retention or compaction has taken messages, or turns were never entered."""


class Tape:
    """Use as an async context manager; raises `Transient` while the broker is away."""

    def __init__(self, settings: Mapping[str, Any], lanes: Iterable[LaneId]) -> None:
        self._consumer: Any = AIOKafkaConsumer(**settings)  # aiokafka has no types
        self._places = {lane: TopicPartition(*lane) for lane in lanes}
        self._read: dict[LaneId, deque[Message]] = defaultdict(deque)

    async def __aenter__(self) -> Tape:
        try:
            await self._consumer.start()
            self._consumer.assign(list(self._places.values()))
            first: Mapping[TopicPartition, int] = await self._consumer.beginning_offsets(list(self._places.values()))
        except (KafkaError, OSError) as error:
            await self._consumer.stop()
            raise Transient("broker", type(error).__name__) from error
        self.first = {LaneId(*place): offset for place, offset in first.items()}
        for place, offset in first.items():
            self._consumer.seek(place, offset)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def up_to(self, lane: LaneId, next_offset: int, expected: int) -> list[Message]:
        """The lane's next messages before this offset; raises `Torn` unless there are as many as expected."""
        await self._read_on(lane, next_offset)
        kept, messages = self._read[lane], list[Message]()
        while kept and kept[0].offset < next_offset:
            messages.append(kept.popleft())
        if len(messages) < expected:
            gone = f"{len(messages)} of {expected} messages before offset {next_offset}"
            raise Torn(f"{lane.topic}/{lane.partition}: only {gone} are left on the topic")
        if len(messages) > expected:
            raise Torn(f"{lane.topic}/{lane.partition}: turns before offset {next_offset} are not in the journal")
        return messages

    async def _read_on(self, lane: LaneId, next_offset: int) -> None:
        place, kept, give_up = self._places[lane], self._read[lane], time.monotonic() + PATIENCE_S
        while not (kept and kept[-1].offset + 1 >= next_offset) and await self._position(place) < next_offset:
            try:
                fetched: Mapping[Any, list[Any]] = await self._consumer.getmany(place, timeout_ms=WAIT_MS)
            except OffsetOutOfRangeError:
                raise Torn(f"{lane.topic}/{lane.partition}: offsets before {next_offset} are gone") from None
            except (KafkaError, OSError) as error:
                # A rebuild takes long: one answer that is late must not end it. The consumer stands where it stood.
                if time.monotonic() > give_up:
                    raise Transient("broker", type(error).__name__) from error
                await asyncio.sleep(PAUSE_S)
                continue
            give_up = time.monotonic() + PATIENCE_S
            for r in fetched.get(place, ()):
                kept.append(Message(r.topic, r.partition, r.offset, r.key or b"", r.value, r.headers, r.timestamp))

    async def _position(self, place: TopicPartition) -> int:
        position: int = await self._consumer.position(place)
        return position
