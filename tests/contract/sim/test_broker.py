"""The fake broker keeps the contract; `tests/integration/test_sim_broker.py` asks the same of Kafka."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.sim.broker import CASES, fakes
from tests.contract.sim.broker.case import Case
from tests.sim.broker import Broker, Group
from tests.sim.consumer import Consumer
from tests.sim.member import Membership
from tests.sim.producer import Producer


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fake_broker_keeps_the_contract(case: Case, seed: int) -> None:
    fakes.run(case, seed)


def fails(case: Case) -> bool:
    """Whether a planted fault is seen by a case; what waits for ever ends with `Stuck`."""
    try:
        fakes.run(case)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - whatever it breaks on, it is seen
        return True
    return False


def _unseen(*_: Any) -> None:
    """Nothing happens."""


def _backwards(broker: Any, place: Any, entries: Any) -> None:
    broker.topics[place.topic][place.partition][:0] = entries
    broker._wake(place)


def _nothing(*_: Any) -> frozenset[str]:
    return frozenset()


async def _forgotten(*_: Any) -> int | None:
    return None


def _everything(*_: Any) -> bool:
    return True


def _told_too_late(member: Any) -> Any:
    class Late:
        """It hears of what it got, and never of what it lost."""

        def __init__(self, listener: Any) -> None:
            self.on_partitions_assigned = listener.on_partitions_assigned

        async def on_partitions_revoked(self, _: Any) -> None: ...

    return Late(member)


def _subscribed(member: Any, pattern: str, listener: Any) -> None:
    _subscribe(member, pattern, _told_too_late(listener))


_subscribe = Membership.subscribe


def _first_commit(consumer: Any) -> None:
    consumer._positions = dict.fromkeys(consumer._assigned, 0)
    consumer._high, consumer._paused = {}, set()


def _no_mark(broker: Any, place: Any, count: int) -> None:
    broker.topics[place.topic][place.partition] += [None] * count
    broker._wake(place)


_answer: Any = Producer._answer  # pyright: ignore[reportPrivateUsage] - the fake's own


def _answered(producer: Any, place: Any, error: Any = None) -> None:
    _answer(producer, place)


PLANTS: list[tuple[str, Any, str, Callable[..., Any]]] = [
    ("the last comes first", Broker, "append", _backwards),
    ("a seek is forgotten", Consumer, "seek", _unseen),
    ("a pause is forgotten", Consumer, "pause", _unseen),
    ("a resume is forgotten", Consumer, "resume", _unseen),
    ("who reads anew begins at the beginning", Consumer, "_begin_anew", _first_commit),
    ("a transaction without its mark", Broker, "abort", _no_mark),
    ("nobody is told what it lost", Membership, "subscribe", _subscribed),
    ("topics that appear are not found", Membership, "_topics_appeared", _unseen),
    ("a static member is a new one", Group, "_new_topics", _everything),
    ("a commit is taken from anybody", Group, "accepts", _everything),
    ("a member that has not given up may not commit", Group, "accepts", _unseen),
    ("what is committed is known to nobody", Consumer, "committed", _forgotten),
    ("a member knows no topics", Membership, "subscription", _nothing),
    ("a topic has no partitions", Membership, "partitions_for_topic", _unseen),
    ("who may not write is not told", Producer, "_answer", _answered),
]


@pytest.mark.parametrize(("where", "name", "part"), [plant[1:] for plant in PLANTS], ids=[p[0] for p in PLANTS])
def test_a_fault_of_the_broker_is_seen(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, part: Any) -> None:
    monkeypatch.setattr(where, name, part)
    assert any(map(fails, CASES))
