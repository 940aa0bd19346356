"""A producer that could not do what was asked of it is not asked again."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError

from services.chassis import publishing
from services.chassis.errors import Transient
from services.chassis.message import Outgoing
from services.chassis.publishing import Publisher


class Producer:
    """As the client's, behind a connection that is open and silent: a question for metadata is never answered."""

    made: list[Producer]

    def __init__(self, **settings: object) -> None:
        self.made.append(self)
        self.silent = len(self.made) == 1
        self.state = "new"

    async def start(self) -> None:
        self.state = "started"

    async def stop(self) -> None:
        self.state = "stopped"

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
