"""Lanes are claimed when the group has just said whose they are, and from a store that stands where it once stood."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from services.chassis import kafka, membership, postgres, waiting
from services.chassis.errors import LaneLost, PublishFailed, Transient
from services.chassis.lanes import Lane, LaneId, behind
from services.chassis.loop import LaneLoop
from services.chassis.turn_size import BATCH_LIMIT
from tests.contract.sim.broker.case import until
from tests.sim.broker import Broker
from tests.sim.consumer import Consumer
from tests.sim.store import REGISTERED as REGISTERED
from tests.sim.store.connection import Pool
from tests.sim.store.engine import Database, Row
from tests.sim.troubles import Troubles
from tests.sim.virtual import VirtualLoop

ONE, OTHER = TopicPartition("t", 0), TopicPartition("t", 1)


class Client:
    """A consumer whose group answers as it is told to."""

    def __init__(self, *answers: Exception | Callable[[], Awaitable[None]] | None) -> None:
        self._answers = list(answers)
        self.committed_: dict[TopicPartition, int] = {}
        self.asked: list[dict[TopicPartition, int]] = []
        self.fetching = asyncio.Event()

    def assignment(self) -> set[TopicPartition]:
        return {ONE, OTHER}

    def subscription(self) -> set[str]:
        return {"t", "gone"}

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return {0, 1} if topic == "t" else None

    async def committed(self, place: TopicPartition) -> int | None:
        return self.committed_.get(place)

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.asked.append(offsets)
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await answer()

    async def getmany(self, *only: TopicPartition, timeout_ms: int, max_records: int) -> dict[Any, Any]:
        self.fetching.set()
        await for_ever()
        return {}


async def for_ever() -> None:
    await asyncio.Event().wait()


class Claimed(Exception):
    """A transaction was begun."""


def looping(client: Any) -> LaneLoop:
    """A loop that begins no transaction without our hearing of it."""

    def transaction() -> Any:
        raise Claimed

    observer = SimpleNamespace(event=lambda *_, **__: None, transient=lambda _: None)
    around: Any = SimpleNamespace(
        service=SimpleNamespace(name="test", linger_ms=0),
        rest=lambda: None,
        observer=observer,
        transaction=transaction,
        clock_ms=lambda: 0,
    )
    return LaneLoop(around, client)


# --- whose the lanes are -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"), [(CommitFailedError(), "group"), (IllegalStateError(), "group"), (KafkaError(), "broker")]
)
async def test_lanes_are_not_claimed_without_the_groups_word(error: Exception, kind: str) -> None:
    """A process that was frozen for a session is told here, and not by the new owner's next turn."""
    loop = looping(Client(error))
    await loop.on_partitions_assigned([ONE])
    with pytest.raises(Transient) as caught:
        await loop._one_turn()
    assert caught.value.args == (kind, type(error).__name__)
    with pytest.raises(Claimed):
        await loop._one_turn()


async def test_a_group_that_does_not_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "ANSWER_S", 0.01)
    loop = looping(Client(for_ever))
    await loop.on_partitions_assigned([ONE])
    with pytest.raises(Transient, match="broker"):
        async with asyncio.timeout(10):
            await loop._one_turn()


async def test_the_group_is_asked_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that changes nothing: what is committed already, and nothing where nothing is."""
    client = Client()
    client.committed_ = {ONE: 7}
    grant = await membership.ask(client, {LaneId(*ONE), LaneId(*OTHER)})
    assert client.asked == [{ONE: 7, OTHER: 0}]
    assert (grant.lanes, grant.shown) == ({LaneId(*ONE), LaneId(*OTHER)}, {LaneId(*ONE): 7})


async def test_after_trouble_the_group_is_asked_again() -> None:
    client = Client()
    loop = looping(client)
    loop._holding.lanes[LaneId(*ONE)] = Lane(LaneId(*ONE), 1, 7, 0, 0, 0)
    loop._in_trouble(LaneLost("1 of 2"))
    with pytest.raises(Claimed):
        await loop._one_turn()
    assert client.asked == [{ONE: 0}]


async def test_an_answer_given_before_a_rebalance_is_none_after_it() -> None:
    async def rebalance() -> None:
        await loop.on_partitions_revoked([ONE])
        await loop.on_partitions_assigned([OTHER])

    client = Client(rebalance)
    loop = looping(client)
    await loop.on_partitions_assigned([ONE])
    await loop._one_turn()
    with pytest.raises(Claimed):
        await loop._one_turn()
    assert client.asked == [{ONE: 0}, {OTHER: 0}]


async def unanswered() -> tuple[LaneLoop, asyncio.Event]:
    """A loop whose question to the group is never answered, and the moment at which it has asked."""
    asked = asyncio.Event()

    async def be_silent() -> None:
        asked.set()
        await for_ever()

    loop = looping(Client(be_silent))
    await loop.on_partitions_assigned([ONE])
    return loop, asked


async def test_the_group_is_asked_nothing_more_once_a_rebalance_has_begun() -> None:
    """A commit of the generation that is over would be refused, and make the client join once more."""
    loop, asked = await unanswered()
    turning = asyncio.create_task(loop._one_turn())
    async with asyncio.timeout(10):
        await asked.wait()
        await loop.on_partitions_revoked([ONE])
        await turning


async def test_who_was_refused_tries_again_as_soon_as_lanes_are_assigned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PAUSE_S", 3600.0)
    refused = asyncio.Event()

    async def refuse() -> None:
        refused.set()
        raise CommitFailedError

    loop = looping(Client(refuse))
    await loop.on_partitions_assigned([ONE])
    running = asyncio.create_task(loop.run())
    async with asyncio.timeout(10):
        await refused.wait()
        await loop.on_partitions_revoked([ONE])
        await loop.on_partitions_assigned([ONE])
        with pytest.raises(Claimed):
            await running


async def test_before_a_rebalance_everything_is_given_up_whatever_the_client_names() -> None:
    loop = looping(Client())
    loop._holding.lanes[LaneId(*ONE)] = Lane(LaneId(*ONE), 1, 7, 0, 0, 0)
    await loop.on_partitions_assigned([OTHER])
    await loop.on_partitions_revoked([])
    assert not loop._holding.lanes and not loop._claims.open


# --- the end -----------------------------------------------------------------------------------------------------


async def test_a_stop_does_not_wait_for_the_group() -> None:
    loop, asked = await unanswered()
    running = asyncio.create_task(loop.run())
    async with asyncio.timeout(10):
        await asked.wait()
        loop.stop()
        loop.stop()
        await running


async def test_a_stop_does_not_wait_for_a_fetch_that_waits_for_a_rebalance() -> None:
    client = Client()
    loop = looping(client)
    running = asyncio.create_task(loop.run())
    async with asyncio.timeout(10):
        await client.fetching.wait()
        loop.stop()
        await running


# --- how many messages a turn takes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [Transient("broker", "x"), PublishFailed("x"), LaneLost("x"), Transient("database")]
)
async def test_a_turn_that_failed_for_another_reason_does_not_shrink_the_next(trouble: Transient) -> None:
    loop = looping(Client())
    loop._in_trouble(trouble)
    assert loop._size.limit == BATCH_LIMIT
    loop._in_trouble(Transient("database", "QueryCanceledError", too_much=True))
    assert loop._size.limit == BATCH_LIMIT // 8


# --- where the store stands --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "stands", "found"),
    [
        ({}, {}, []),
        ({0: 0}, {}, []),  # what a group is asked with that has committed nothing
        ({0: 5}, {0: 5, 1: 3}, []),
        ({0: 5}, {0: 9}, []),  # shown a second late
        ({0: 5, 1: 1}, {0: 4, 1: 1}, [0]),
        ({0: 1}, {0: -1}, [0]),  # an empty store under a group that has read
        ({1: 1, 0: 1}, {}, [0, 1]),
    ],
)
def test_a_store_stands_before_what_it_has_shown(
    shown: dict[int, int], stands: dict[int, int], found: list[int]
) -> None:
    def places(offsets: dict[int, int]) -> dict[LaneId, int]:
        return {LaneId("t", number): offset for number, offset in offsets.items()}

    assert behind(places(shown), places(stands)) == [LaneId("t", number) for number in found]


class Rig:
    """A broker with one topic of two partitions, a store, and one worker; on virtual time."""

    def __init__(self, loop: VirtualLoop) -> None:
        outside = contextvars.copy_context()
        self.broker = Broker(loop, outside, random.Random("rig"))
        self.broker.create("t", 2)
        self.store = Database("ledger", loop)
        self.events: list[tuple[str, dict[str, Any]]] = []
        pool: Any = Pool(self.store, Troubles(random.Random("quiet"), outside))
        observer = SimpleNamespace(
            event=lambda name, **said: self.events.append((name, said)), transient=lambda _: None
        )
        around: Any = SimpleNamespace(
            service=SimpleNamespace(name="ledger", linger_ms=0), observer=observer, clock_ms=loop.now_ms,
            transaction=lambda: postgres.transaction(pool), rest=lambda: None,
        )  # fmt: skip
        self.consumer: Any = Consumer(self.broker, "ledger", "ledger-0")
        self.loop = LaneLoop(around, self.consumer)
        self.consumer.subscribe("^t$", self.loop)
        self.committed = self.broker.groups["ledger"].committed

    def stands(self, *offsets: int) -> None:
        """Where the store's lanes are, in the order of their partitions."""
        for number, offset in enumerate(offsets):
            row = {"epoch": 3, "next_offset": offset, "position": 4, "published": 4, "attempts": 0, "timer_place": -1}
            place = {"topic": "t", "partition": number}
            self.store.tables["lanes"]["t", number] = Row(place | row | {"origin_ids": [], "origin_positions": []})

    async def claim(self) -> None:
        """Join the group and take what it gives."""
        await self.join()
        await self.loop._claims.take(await self.loop._claims.ask())

    async def join(self) -> None:
        """Until the group has given it everything."""
        await self.consumer.start()
        await until(lambda: self.loop._claims.open)

    @property
    def stopped(self) -> list[tuple[int, str]]:
        """Partition and reason of every lane that was stopped."""
        return [(said["partition"], said["why"]) for name, said in self.events if name == "lane_stopped"]

    @property
    def epochs(self) -> list[int]:
        """Of the lanes in the store."""
        return [row["epoch"] for row in self.store.tables["lanes"].values()]


def virtually(check: Callable[[Rig], Awaitable[None]]) -> None:
    async def run() -> None:
        await check(Rig(loop))

    loop = VirtualLoop()
    try:
        loop.run(run())
    finally:
        loop.close()


def test_a_store_that_stands_where_it_stood_is_claimed() -> None:
    async def check(rig: Rig) -> None:
        rig.stands(5, 9)
        rig.committed.update({ONE: 5, OTHER: 7})
        await rig.claim()
        assert {lane.partition for lane in rig.loop._holding.lanes} == {0, 1}
        assert rig.epochs == [4, 4] and not rig.stopped

    virtually(check)


@pytest.mark.parametrize("stands", [(5, 9), (-1, -1), ()], ids=["earlier", "empty", "new"])
def test_a_store_from_an_earlier_moment_is_not_gone_on_with(stands: tuple[int, ...]) -> None:
    """Not one lane of it, and nothing in it is touched; what the group was shown stays, for the next who asks."""

    async def check(rig: Rig) -> None:
        rig.stands(*stands)
        rig.committed.update({ONE: 7, OTHER: 9})
        await rig.claim()
        assert rig.stopped == [(0, "store_restored"), (1, "store_restored")]
        assert rig.epochs == [3] * len(stands)
        assert not rig.loop._holding.lanes and not rig.loop._claims.open
        await rig.loop.show_offsets()
        assert rig.committed == {ONE: 7, OTHER: 9}
        (said,) = [said for name, said in rig.events if name == "store_restored"]
        assert "write-ahead log" in said["reason"] and (said["topic"], said["partition"]) == ("t", 0)
        assert rig.consumer._paused == {ONE, OTHER}
        await rig.loop.on_partitions_revoked([])
        assert [said["partition"] for name, said in rig.events if name == "lane_left"] == [0, 1]

    virtually(check)


def test_a_store_that_is_exchanged_under_a_running_worker_is_noticed_by_what_the_worker_remembers() -> None:
    async def check(rig: Rig) -> None:
        rig.stands(5, 9)
        await rig.claim()
        rig.stands(5, 8)  # nothing was shown to the group
        rig.loop._in_trouble(Transient("database"))
        await rig.loop._claims.take(await rig.loop._claims.ask())
        assert rig.stopped == [(0, "store_restored"), (1, "store_restored")]

    virtually(check)


def test_an_answer_that_is_a_session_old_is_none() -> None:
    """The process may have been frozen since, and another own the lanes."""

    async def check(rig: Rig) -> None:
        rig.stands(5, 9)
        await rig.join()
        grant = await rig.loop._claims.ask()
        await asyncio.sleep(kafka.SESSION_MS / 1000 + 0.1)
        with pytest.raises(Transient, match="group"):
            await rig.loop._claims.take(grant)
        assert rig.epochs == [3, 3] and not rig.loop._holding.lanes

    virtually(check)
