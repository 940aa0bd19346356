"""A producer that could not do what was asked of it is not asked again."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.sender import Sender

from services.chassis import publishing
from services.chassis.errors import PublishFailed, Transient
from services.chassis.message import Outgoing
from services.chassis.publishing import Publisher


class Producer:
    """As the client's, behind a connection that is open and silent: a question for metadata is never answered."""

    made: list[Producer]

    def __init__(self, **settings: object) -> None:
        self.made.append(self)
        self.silent = len(self.made) == 1
        self.state = "new"
        self._sender = self

    async def close(self) -> None:
        """Of the sender."""
        self.state = "sends nothing more"

    async def start(self) -> None:
        self.state = "started"

    async def stop(self) -> None:
        assert self.state == "sends nothing more", "would flush, and wait for a broker that is away"
        self.state = "stopped"

    async def send_batch(self, batch: object, topic: str, partition: int) -> Any:
        """Never acknowledged."""
        return asyncio.get_running_loop().create_future()

    async def partitions_for(self, topic: str) -> set[int]:
        if self.silent:
            raise KafkaTimeoutError
        return {0, 1}


async def test_a_topic_that_cannot_be_asked_about_is_asked_about_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client closes a connection when a fetch or a produce request is not answered, but not for metadata."""
    monkeypatch.setattr(Producer, "made", [], raising=False)
    monkeypatch.setattr(publishing, "AIOKafkaProducer", Producer)
    publisher: Any = Publisher("test", {}, lambda: 0)
    events = [Outgoing("t", b"k", b"v", None, ())]
    with pytest.raises(Transient):
        await publisher.seal(b"origin", 1, events, 0)
    assert [producer.state for producer in Producer.made] == ["stopped"]
    assert len(await publisher.seal(b"origin", 1, events, 0)) == 1
    assert [producer.state for producer in Producer.made] == ["stopped", "started"]


async def test_what_is_never_acknowledged_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client tries for ever while the broker is away; a watchdog ended the worker for that."""
    monkeypatch.setattr(Producer, "made", [object()], raising=False)
    monkeypatch.setattr(publishing, "AIOKafkaProducer", Producer)
    monkeypatch.setattr(publishing, "PUBLISH_S", 0)
    publisher: Any = Publisher("test", {}, lambda: 0)
    sealed = await publisher.seal(b"origin", 1, [Outgoing("t", b"k", b"v", None, ())], 0)
    with pytest.raises(PublishFailed):
        await publisher.publish(sealed)
    assert [producer.state for producer in Producer.made[1:]] == ["stopped"]


def test_the_private_call_that_ends_a_producers_sending_is_still_there() -> None:
    assert inspect.iscoroutinefunction(Sender.close)
    assert "_sender" in inspect.getsource(AIOKafkaProducer.stop)
