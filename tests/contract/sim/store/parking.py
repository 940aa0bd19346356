"""Parked messages and the orders about them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from services.chassis import carrying_out, parking
from tests.contract.sim.store.case import Store, at, begin, case, unordered, values

KEYS = "SELECT DISTINCT key FROM parked WHERE topic = $1 AND partition = $2"
LANE = ["t"], [0]


async def park(tx: Any, *messages: tuple[int, bytes], topic: str = "t") -> None:
    """Put messages aside: offset and key."""
    for offset, key in messages:
        headers = '[["a", "eA=="]]'
        await tx.execute(parking.PUT, topic, 0, offset, key, b"v%d" % offset, headers, at(0), "CODE", "why", at(1))


def offsets(rows: Any) -> list[int]:
    """Of what was taken; the services sort it."""
    return sorted(row["offset"] for row in rows)


async def order(tx: Any, name: str, kind: str) -> None:
    """Enter an order."""
    await tx.execute(carrying_out.ENTER, name, kind, "operator", "why", 1, at(2))


@case()
async def what_is_parked_is_counted_by_key(store: Store) -> None:
    async with begin(store.pool) as tx:
        await park(tx, (1, b"a"), (2, b"b"), (3, b"a"))
        await park(tx, (1, b"c"), topic="s")
        assert unordered(await tx.fetch(KEYS, "t", 0)) == [(b"a",), (b"b",)]
        assert await tx.fetch(KEYS, "t", 1) == []
        assert await tx.fetchval("SELECT count(*) FROM parked") == 4
        assert await tx.fetch(parking.TAKE, *LANE, 9) == []
    names = "topic partition offset key value headers message_at code detail parked_at released_at discarded_at"
    row = ("t", 0, 2, b"b", b"v2", '[["a", "eA=="]]', at(0), "CODE", "why", at(1), None, None)
    assert row in await store.rows("parked", names)


@case()
async def a_released_key_takes_along_everything_of_it(store: Store) -> None:
    async with begin(store.pool) as tx:
        await park(tx, (1, b"a"), (2, b"b"), (3, b"a"), (4, b""), (5, b""))
        await order(tx, "c", "release")
        # One message of a key stands for all of it; a message without a key for itself.
        assert await tx.execute(carrying_out.RELEASE, ["t", "t", "t"], [0, 0, 0], [1, 4, 99], at(3)) == "UPDATE 3"
        await park(tx, (6, b"a"))
        taken = await tx.fetch(parking.TAKE, *LANE, 2)
        assert offsets(taken) == [1, 3]
        assert set(taken[0].keys()) == {"topic", "partition", "offset", "key", "value", "headers", "message_at"}
        assert await tx.fetch(parking.TAKE, ["t", "s"], [1, 0], 9) == []
    assert await store.rows("parked", "offset released_at") == [(2, None), (4, at(3)), (5, None), (6, None)]


@case()
async def parked_timers_come_first_and_the_one_that_was_parked_first_before_the_others(store: Store) -> None:
    async with begin(store.pool) as tx:
        await park(tx, (1, b"a"), (-3, b"a"), (-2, b"a"))
        await tx.execute(carrying_out.RELEASE, ["t"], [0], [1], at(3))
        assert [offsets(await tx.fetch(parking.TAKE, *LANE, 1)) for _ in range(2)] == [[-2], [-3]]
        await order(tx, "c", "discard")
        await park(tx, (-4, b"b"), (5, b"b"))
        await tx.execute(carrying_out.DISCARD, ["t", "t"], [0, 0], [-4, 5], at(3), "c")
        assert offsets(await tx.fetch(parking.TAKE_DISCARDED, *LANE, 1, at(4))) == [-4]


@case()
async def the_rest_of_a_key_goes_when_its_first_has_gone(store: Store) -> None:
    async with begin(store.pool) as tx:
        await park(tx, (1, b"a"), (2, b"b"), (3, b""))
        assert await tx.execute(parking.RELEASE_REST, ["t", "t"], [0, 0], [b"a", b""], at(4)) == "UPDATE 1"
        assert await tx.execute(parking.RELEASE_REST, ["t"], [0], [b"a"], at(5)) == "UPDATE 0"
        assert offsets(await tx.fetch(parking.TAKE, *LANE, 9)) == [1]


@case()
async def what_is_left_of_a_released_key_waits_behind_one_that_was_parked_again(store: Store) -> None:
    async with begin(store.pool) as tx:
        await park(tx, (1, b"a"), (2, b"a"), (3, b"a"), (4, b"b"), (5, b""), (6, b"a"))
        await tx.execute(carrying_out.RELEASE, ["t"] * 3, [0] * 3, [1, 4, 5], at(3))
        await order(tx, "c", "discard")
        await tx.execute(carrying_out.DISCARD, ["t"], [0], [6], at(3), "c")
        assert offsets(await tx.fetch(parking.TAKE, *LANE, 1)) == [1]
        await park(tx, (1, b"a"), (7, b"a"))
        rest = ["t", "t", "s"], [0, 0, 0], [b"a", b"", b"b"], at(4), "BEHIND"
        assert await tx.execute(parking.PARK_REST, *rest) == "UPDATE 2"
        assert await tx.execute(parking.PARK_REST, *rest) == "UPDATE 0"
        await tx.fetch(parking.TAKE_BACK, *LANE, 9)  # or its mark would hold for the key
        assert offsets(await tx.fetch(parking.TAKE, *LANE, 9)) == [4, 5]
    names = "offset code detail parked_at released_at"
    held = [(place, "BEHIND", "", at(4), None) for place in (2, 3)]
    assert await store.rows("parked", names) == [
        (1, "CODE", "why", at(1), None),
        *held,
        (7, "CODE", "why", at(1), None),
    ]


@case()
async def what_could_not_be_thrown_away_leaves_no_trace(store: Store) -> None:
    async with begin(store.pool) as tx:
        await park(tx, (-2, b"a"), (1, b"a"), (2, b"a"))
        await order(tx, "c", "discard")
        await tx.execute(carrying_out.DISCARD, ["t", "t"], [0, 0], [-2, 1], at(3), "c")
        gone = await tx.fetch(parking.TAKE_BACK, *LANE, 1)
        assert values(gone) == [("t", 0, -2, b"a", b"v-2", '[["a", "eA=="]]', at(0))]
        assert offsets(await tx.fetch(parking.TAKE_BACK, *LANE, 9)) == [1]
        assert await tx.fetch(parking.TAKE_BACK, ["t", "s"], [1, 0], 9) == []
    assert await store.rows("discarded", "offset") == []
    assert await store.rows("parked", "offset") == [(2,)]


@case()
async def a_discarded_message_is_kept_without_what_it_said(store: Store) -> None:
    async with begin(store.pool) as tx:
        await park(tx, (1, b"a"), (2, b"a"))
        await order(tx, "c-1", "discard")
        assert await tx.execute(carrying_out.DISCARD, ["t", "t"], [0, 0], [1, 9], at(3), "c-1") == "UPDATE 1"
        assert values(await tx.fetch(carrying_out.LOAD, ["t", "t", "t"], [0, 0, 0], [2, 1, 9])) == [("t", 0, 2)]
        gone = await tx.fetch(parking.TAKE_DISCARDED, *LANE, 9, at(4))
        assert values(gone) == [("t", 0, 1, b"a", b"v1", '[["a", "eA=="]]', at(0))]
        assert await tx.fetch(parking.TAKE_DISCARDED, *LANE, 9, at(4)) == []
    names = "topic partition offset code message_at parked_at discarded_at value_hash command_id"
    kept = ("t", 0, 1, "CODE", at(0), at(1), at(4), sha256(b"v1").digest(), "c-1")
    assert await store.rows("discarded", names) == [kept]
    assert await store.rows("parked", "offset discarded_by") == [(2, None)]


@case()
async def an_order_is_remembered(store: Store) -> None:
    async with begin(store.pool) as tx:
        await order(tx, "c-1", "release")
        assert unordered(await tx.fetch(carrying_out.ANSWERED, ["c-1", "c-2"])) == [("c-1", 1)]
        assert values(await tx.fetch(carrying_out.LOAD, ["t"], [0], [1])) == []
    names = "command_id kind issued_by reason messages decided_at"
    assert await store.rows("orders", names) == [("c-1", "release", "operator", "why", 1, at(2))]
