"""The gateway against the real simulator on loopback, over TLS; the lanes are played by `decide` and `evolve`."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from deploy.national_platform.__main__ import serving
from deploy.national_platform.behaviour import Behaviour
from services.chassis.errors import Transient
from services.chassis.lanes import LaneId
from services.chassis.message import Moment, Outgoing
from services.chassis.publishing import Ends
from services.chassis.schemas import Schemas
from services.national_sync.config import NationalConfig, load_mappings
from services.national_sync.contracts.answers import ANSWER, read_answer
from services.national_sync.domain.deciding import decide
from services.national_sync.domain.events import Event, PushWanted
from services.national_sync.domain.exchange import Exchange, evolve
from services.national_sync.domain.inputs import Input, Irrelevant, RecordSeen, Relinked, RetryDue, Unlinked
from services.national_sync.gateway import Gateway
from services.national_sync.platform_client import PlatformClient
from services.national_sync.queries import BATCH, Looked, Push, PushId, Telling
from services.national_sync.reconcile import compare
from tests.support.fake_registry import FakeRegistry
from tests.support.linked_record import AT_MS, item_schema, message, submission

LANE = LaneId(ANSWER, 0)
GOOD = {
    "CF_XDR_SHXYM": "91420100MA4KLM0N5H",
    "CF_CFLB": "罚款",
    "CF_NR_FK": "0.2",
    "CF_CFJGDM": "11420000011043217X",
    "CF_SJLYDM": "11420000011043217X",
}


class Lanes:
    """The ledger in memory: what the service's lanes would do with records, answers and timers."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self.states: dict[bytes, Exchange] = {}
        self.submissions: dict[bytes, bytes] = {}
        self.told: list[Outgoing] = []
        self.end = self.read = 0
        self.now_ms = AT_MS
        self.away = False

    def apply(self, given: Input) -> None:
        assert not isinstance(given, Irrelevant)
        state = self.states.get(given.record_id, Exchange(given.record_id))
        events: list[Event] = decide(state, given)
        for event in events:
            if isinstance(event, PushWanted):
                self.submissions[given.record_id] = event.submission
        self.states[given.record_id] = reduce(evolve, events, state)

    async def tell(self, answers: list[Outgoing]) -> Ends:
        if self.away:
            raise Transient("broker", "away")
        self.told += answers
        self.end += len(answers)
        return {LANE: self.end}

    def apply_told(self) -> None:
        """What the lanes of answers do; and every pause is over at once."""
        told, self.told, self.read = self.told, [], self.end
        for answer in told:
            received = message(answer.topic, answer.key, answer.value)
            self.apply(read_answer(self.schemas, received, Moment(self.now_ms)))
        for state in list(self.states.values()):
            self.apply(RetryDue(state.record_id, state.number, self.now_ms))

    def turn(self) -> AbstractAsyncContextManager[bool]:
        return nullcontext(True)

    async def look(self, told: Iterable[Telling], apart: Collection[PushId]) -> Looked:
        left = [telling for telling in told if self.read < telling.ends[LANE]]
        passed_over = set(apart).union(*(telling.pushes for telling in left))
        pending = {(s.record_id, s.number, s.attempt): s for s in self.states.values() if s.status == "PENDING"}
        pushes = [
            Push(*where, s.item, s.action, self.submissions[s.record_id])
            for where, s in pending.items()
            if where not in passed_over
        ]
        return Looked(pushes[:BATCH], left, 0.0)


class World:
    """A simulator, a gateway in front of it and lanes behind it."""

    def __init__(self, schemas: Schemas, client: PlatformClient, schema_id: int) -> None:
        self.lanes = Lanes(schemas)
        self.client = client
        self.schema_id = schema_id
        self.gateway = Gateway(self.lanes, client, load_mappings(), schemas, self.lanes.tell, lambda: self.lanes.now_ms)

    def record(self, number: int, version: int = 1, withdraw: bool = False, **payload: Any) -> None:
        action = "delete" if withdraw else "put"
        framed = submission("org-penalty", self.schema_id, {**GOOD, **payload})
        self.lanes.apply(RecordSeen(number.to_bytes(16, "big"), version, "org-penalty", action, framed, AT_MS))

    def seen(self, number: int) -> RecordSeen:
        framed = submission("org-penalty", self.schema_id, GOOD)
        return RecordSeen(number.to_bytes(16, "big"), 1, "org-penalty", "put", framed, AT_MS)

    def lost(self, number: int, link_no: int) -> None:
        self.lanes.apply(Unlinked(number.to_bytes(16, "big"), link_no, AT_MS))

    def found(self, number: int, link_no: int) -> None:
        self.lanes.apply(Relinked(self.seen(number), link_no))

    async def behave(self, **settings: Any) -> None:
        told = json.dumps(settings).encode()
        status, _ = await self.client._request("POST", "/v1/behaviour", told)  # pyright: ignore[reportPrivateUsage]
        assert status == 200

    async def settle(self, turns: int = 60) -> Counter[str]:
        """Push and apply until nothing waits; the states in the end."""
        for _ in range(turns):
            pushed, _ = await self.gateway.push_once()
            self.lanes.apply_told()
            if not pushed and all(s.status not in ("PENDING", "RETRYING") for s in self.lanes.states.values()):
                break
        return Counter(state.status for state in self.lanes.states.values())

    def held(self) -> int:
        return sum(state.held for state in self.lanes.states.values())

    async def national(self) -> int:
        return (await self.client.counts()).get("org-penalty", 0)


@asynccontextmanager
async def world(folder: Path, timeout_s: float = 5.0) -> AsyncGenerator[World]:
    async with FakeRegistry() as registry, Schemas(registry.url) as schemas, serving(folder, "127.0.0.1", 0) as port:
        await schemas.register_all()
        schema = json.dumps(item_schema("org-penalty"))
        schema_id = await schemas.register_text("cn.hubei.credit.item.org-penalty", schema)
        config = NationalConfig(f"https://127.0.0.1:{port}", folder / "ca.pem")
        async with PlatformClient(config, timeout_s) as client:
            yield World(schemas, client, schema_id)


async def test_records_are_acknowledged_and_counted(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for number in range(1, 2202):  # more than two batches
            here.record(number)
        assert await here.settle() == {"ACKNOWLEDGED": 2201}
        assert await here.national() == here.held() == 2201


async def test_what_the_nation_misses_is_refused_with_its_reason(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.record(1)
        here.record(2, CF_WSH="")
        here.record(3, CF_NR_FK="two thousand")
        await here.gateway.push_once()
        told = [here.lanes.schemas.decode(answer.value)[1] for answer in here.lanes.told]
        assert [t["code"] for t in told] == ["ACK", "FIELD_MISSING", "UNMAPPABLE"]
        assert told[2]["text"] == "CF_NR_FK"
        assert await here.settle() == {"ACKNOWLEDGED": 1, "REFUSED": 2}


async def test_a_correction_replaces_and_a_withdrawal_deletes(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.record(1)
        here.record(2)
        await here.settle()
        here.record(1, version=2, CF_NR_FK="0.3")
        here.record(2, version=2, withdraw=True)
        assert await here.settle() == {"ACKNOWLEDGED": 2}
        assert await here.national() == here.held() == 1


async def test_what_is_nobodys_is_deleted_and_what_is_linked_again_comes_back(tmp_path: Path) -> None:
    """The same version goes out three times; the platform takes each push for another, and the last for the latest."""
    async with world(tmp_path) as here:
        for number in (1, 2, 3):
            here.record(number)
        await here.settle()
        here.lost(1, 14)
        here.lost(2, 14)
        assert await here.settle() == {"ACKNOWLEDGED": 3}
        assert await here.national() == here.held() == 1
        here.found(1, 15)
        assert await here.settle() == {"ACKNOWLEDGED": 3}
        assert await here.national() == here.held() == 2


async def test_a_lost_answer_to_the_push_before_does_not_bring_back_what_is_nobodys(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.record(1)
        await here.gateway.push_once()
        here.lost(1, 14)  # before the lanes hear what became of the first push
        assert await here.settle() == {"ACKNOWLEDGED": 1}
        assert await here.national() == here.held() == 0


async def test_links_that_change_amid_mishaps_leave_both_sides_equal(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.behave(seed="links", fail_rate=0.3, lose_rate=0.3, busy_rate=0.2)
        for number in range(1, 301):
            here.record(number)
        for number in range(1, 201):
            here.lost(number, 14)
        await here.gateway.push_once()
        for number in range(1, 101):
            here.found(number, 15)
        assert await here.settle() == {"ACKNOWLEDGED": 300}
        assert await here.national() == here.held() == 200


async def test_a_thousand_mishaps_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """500s, answers that get lost after everything was stored, garbage, busy records and refusals at once."""
    rates = {"fail_rate": 0.3, "lose_rate": 0.2, "garbage_rate": 0.1, "limit_rate": 0.1}
    rates |= {"busy_rate": 0.2, "refuse_rate": 0.1}
    async with world(tmp_path) as here:
        await here.behave(seed="mishaps", **rates)
        for number in range(1, 701):
            here.record(number)
        refused = sum(
            Behaviour(seed="mishaps", refuse_rate=0.1).refuses(f"{number.to_bytes(16, 'big').hex()}:1")
            for number in range(1, 701)
        )
        assert await here.settle() == {"ACKNOWLEDGED": 700 - refused, "REFUSED": refused}
        assert await here.national() == here.held() == 700 - refused


async def test_a_broker_that_is_away_leaves_everything_pending(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.record(1)
        here.lanes.away = True
        with pytest.raises(Transient):
            await here.gateway.push_once()
        here.lanes.away = False
        assert await here.settle() == {"ACKNOWLEDGED": 1}
        assert await here.national() == 1


async def test_a_platform_that_is_away_is_a_transient_answer(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        config = NationalConfig("https://127.0.0.1:1", tmp_path / "ca.pem")
        here.record(1)
        async with PlatformClient(config) as nobody:
            here.gateway._client = nobody  # pyright: ignore[reportPrivateUsage]
            assert await here.gateway.push_once() == (1, False)
        here.lanes.apply_told()
        here.gateway._client = here.client  # pyright: ignore[reportPrivateUsage]
        assert await here.settle() == {"ACKNOWLEDGED": 1}


async def test_silence_is_a_time_out(tmp_path: Path) -> None:
    async with world(tmp_path, timeout_s=0.2) as here:
        await here.behave(delay_ms=600)
        (told,) = await here.client.push([{"key": "k"}])
        assert (told.verdict, told.code) == ("REFUSED", "HTTP_400")  # told at once: not even a record
        here.record(1)
        await here.gateway.push_once()
        here.lanes.apply_told()
        assert here.lanes.states[(1).to_bytes(16, "big")].attempt == 2
        await here.behave(delay_ms=0)
        assert await here.settle() == {"ACKNOWLEDGED": 1}


async def test_another_authority_is_not_believed(tmp_path: Path) -> None:
    from deploy.national_platform import certificates

    (tmp_path / "other").mkdir()
    certificates.ensure(tmp_path / "other")
    async with world(tmp_path) as here:
        config = NationalConfig(here.client._config.url, tmp_path / "other" / "ca.pem")  # pyright: ignore[reportPrivateUsage]
        async with PlatformClient(config) as deceived:
            (told,) = await deceived.push([{"key": "k"}])
        assert (told.verdict, told.code) == ("TRANSIENT", "UNREACHABLE")


async def test_a_record_that_spoils_its_batch_is_found(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        good = {"record_id": "a", "version": 1, "item": "org-penalty", "action": "delete"}
        batch = [{**good, "key": str(n)} for n in range(7)]
        batch[4] = {"key": "4"}
        told = await here.client.push(batch)
        assert [t.verdict for t in told] == ["ACKNOWLEDGED"] * 4 + ["REFUSED"] + ["ACKNOWLEDGED"] * 2


async def test_told_but_not_applied_is_not_pushed_again_until_a_minute_has_passed(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.record(1)
        assert await here.gateway.push_once() == (1, True)
        assert await here.gateway.push_once() == (0, True)
        here.lanes.now_ms += 61_000
        assert await here.gateway.push_once() == (1, True)
        assert await here.national() == 1


async def test_an_answer_that_was_parked_leaves_its_record_alone_for_a_minute(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.record(1)
        assert await here.gateway.push_once() == (1, True)
        here.lanes.told.clear()
        here.lanes.read = here.lanes.end  # read, and not applied
        assert await here.gateway.push_once() == (0, True)
        here.record(2)
        assert await here.gateway.push_once() == (1, True)
        here.lanes.now_ms += 61_000
        here.lanes.apply_told()
        assert await here.settle() == {"ACKNOWLEDGED": 2}


def test_reconciling_explains_a_difference_by_what_is_under_way() -> None:
    rows = [
        {"item": "a", "state": "ACKNOWLEDGED", "exchanges": 5, "held": 5},
        {"item": "a", "state": "PENDING", "exchanges": 2, "held": 0},
        {"item": "b", "state": "ACKNOWLEDGED", "exchanges": 5, "held": 5},
    ]
    found = {c.item: (c.ledger, c.national, c.waiting, c.explained) for c in compare(rows, {"a": 7, "b": 4, "c": 1})}
    assert found == {"a": (5, 7, 2, True), "b": (5, 4, 0, False), "c": (0, 1, 0, False)}


def test_a_share_is_what_it_says() -> None:
    behaviour = Behaviour(seed="s", refuse_rate=0.25)
    keys = [f"{random.Random(n).random()}" for n in range(4000)]
    assert 900 < sum(behaviour.refuses(key) for key in keys) < 1100
