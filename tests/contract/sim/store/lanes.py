"""Lanes, origins, outbox and the journal of turns."""

from __future__ import annotations

from services.chassis import breaker, lanes, outbox, parking, turns
from services.chassis.lanes import Lane, LaneId, Spoken
from tests.contract.sim.store.case import Store, at, begin, case, unordered, values

STANDS = "SELECT topic, partition, next_offset FROM lanes"
BEGIN = "UPDATE lanes SET next_offset = $4 WHERE topic = $1 AND partition = $2 AND epoch = $3 AND next_offset = -1"
UNPUBLISHED = (
    "SELECT first_position, last_position, blob FROM outbox "
    "WHERE topic = $1 AND partition = $2 AND last_position > $3 ORDER BY last_position"
)
APPEND = (
    "INSERT INTO outbox (topic, partition, first_position, last_position, created_at, blob) "
    "SELECT t, p, f, l, $6, b FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bytea[]) "
    "AS u (t, p, f, l, b)"
)
NUMBER = (
    "INSERT INTO origins (name) SELECT * FROM unnest($1::text[]) ORDER BY 1 "
    "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, name"
)
NOW_MS = 1_511_503_200_000


@case()
async def a_claim_makes_a_row_and_every_further_one_raises_the_epoch(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(lanes.END_FROZEN)
        assert await tx.fetchval("SELECT count(*) FROM lanes") == 0
        made = await tx.fetch(lanes.CLAIM, ["t", "s"], [1, 0], [1, 0])
        assert values(made) == [("s", 0, 1, -1, 0, 0, 0, [], []), ("t", 1, 1, -1, 0, 0, 1, [], [])]
        assert made[0]["topic"] == "s"
        assert values(await tx.fetch(lanes.CLAIM, ["t"], [1], [1])) == [("t", 1, 2, -1, 0, 0, 2, [], [])]
        assert await tx.fetchval("SELECT count(*) FROM lanes") == 2
    assert await store.rows("lanes", "topic epoch attempts") == [("s", 1, 0), ("t", 2, 2)]


@case()
async def a_lane_begins_once_and_under_its_own_epoch(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.fetch(lanes.CLAIM, ["t"], [0], [0])
        assert await tx.execute(BEGIN, "t", 0, 2, 7) == "UPDATE 0"
        assert await tx.execute(BEGIN, "t", 0, 1, 7) == "UPDATE 1"
        assert await tx.execute(BEGIN, "t", 0, 1, 8) == "UPDATE 0"
        assert await tx.execute(BEGIN, "u", 0, 1, 8) == "UPDATE 0"
        assert unordered(values(await tx.fetch(STANDS))) == unordered([("t", 0, 7)])
    assert await store.rows("lanes", "next_offset") == [(7,)]


@case()
async def a_lane_moves_under_its_epoch_and_from_where_it_is(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.fetch(lanes.CLAIM, ["t", "s"], [0, 0], [1, 1])
        move = ["s", "t"], [0, 0]
        assert await tx.execute(lanes.MOVE, *move, [1, 1], [-1, -1], [5, -1], [0, 2]) == "UPDATE 2"
        assert await tx.execute(lanes.MOVE, *move, [1, 2], [5, -1], [6, 9], [3, 9]) == "UPDATE 1"
        assert await tx.execute(lanes.MOVE, *move, [1, 1], [5, 0], [7, 9], [9, 9]) == "UPDATE 0"
    assert await store.rows("lanes", "topic next_offset published attempts") == [("s", 6, 3, 0), ("t", -1, 2, 1)]


@case()
async def a_lane_remembers_what_it_said_and_heard(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.fetch(lanes.CLAIM, ["t", "s"], [0, 0], [0, 0])
        one = Lane(LaneId("t", 0), 1, -1, 0, 0, 0)
        await lanes.speak(tx, [Spoken(one, 9, {"x": 4, "y": 5})], {"x": 1, "y": 2})
    assert await store.rows("lanes", "topic position origin_ids origin_positions") == [
        ("s", 0, [], []),
        ("t", 9, [1, 2], [4, 5]),
    ]


@case()
async def origins_are_numbered_once(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert values(await tx.fetch(NUMBER, ["b", "a"])) == [(1, "a"), (2, "b")]
        assert values(await tx.fetch(NUMBER, ["c", "a"]))[0] == (1, "a")
        assert await lanes.all_origins(tx) == {"a": 1, "b": 2, "c": 4}  # a number that was drawn is gone
        assert await tx.fetchval("SELECT number FROM incarnation") == 1


@case()
async def numbers_that_were_drawn_do_not_come_back(store: Store) -> None:
    try:
        async with begin(store.pool) as tx:
            await tx.fetch(NUMBER, ["a"])
            raise KeyError
    except KeyError:
        async with begin(store.pool) as tx:
            assert values(await tx.fetch(NUMBER, ["a"])) == [(2, "a")]


@case()
async def the_outbox_gives_back_what_is_not_published_in_order(store: Store) -> None:
    async with begin(store.pool) as tx:
        await outbox.open_months(tx, NOW_MS)
        await outbox.open_months(tx, NOW_MS)
        columns = ["t", "t", "t", "s"], [0, 0, 1, 0], [3, 1, 1, 1], [4, 2, 1, 1], [b"3", b"1", b"x", b"y"]
        assert await tx.execute(APPEND, *columns, at(0)) == "INSERT 0 4"
        assert values(await tx.fetch(UNPUBLISHED, "t", 0, 0)) == [(1, 2, b"1"), (3, 4, b"3")]
        assert values(await tx.fetch(UNPUBLISHED, "t", 0, 2)) == [(3, 4, b"3")]
        assert await tx.fetch(UNPUBLISHED, "t", 0, 4) == []


@case()
async def timers_that_are_parked_get_places_of_their_own(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.fetch(lanes.CLAIM, ["t", "s"], [0, 0], [0, 0])
        given = await tx.fetch(parking.GIVE_PLACES, ["t", "s", "u"], [0, 0, 0], [2, 1, 1])
        assert unordered(given) == [("s", 0, -2), ("t", 0, -3)]
        assert values(await tx.fetch(parking.GIVE_PLACES, ["t"], [0], [1])) == [("t", 0, -4)]


@case()
async def turns_are_kept(store: Store) -> None:
    async with begin(store.pool) as tx:
        await outbox.open_months(tx, NOW_MS)
        await tx.execute(turns.INSERT, NOW_MS, True, 500, "", ["t"], [0], [5], [2])
        await tx.execute(turns.INSERT, NOW_MS + 1, False, 1, "x", ["t", "s"], [0, 1], [6, 1], [1, 1])
    assert await store.rows("turns", "now_ms due due_limit culprit topics partitions next_offsets messages") == [
        (NOW_MS, True, 500, "", ["t"], [0], [5], [2]),
        (NOW_MS + 1, False, 1, "x", ["t", "s"], [0, 1], [6, 1], [1, 1]),
    ]


@case()
async def a_stopped_lane_stays_stopped_until_it_goes_on(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(breaker.STOP, ["t", "s"], [0, 0], at(0)) == "INSERT 0 2"
        assert await tx.execute(breaker.STOP, ["t", "t"], [0, 1], at(1)) == "INSERT 0 1"
        assert unordered(await tx.fetch(breaker.BROKEN, ["t", "t", "u"], [0, 1, 0])) == [("t", 0), ("t", 1)]
        assert await tx.execute(breaker.GO_ON, "t", 0) == "DELETE 1"
        assert await tx.execute(breaker.GO_ON, "t", 0) == "DELETE 0"
    assert await store.rows("stopped_lanes", "topic partition stopped_at") == [("s", 0, at(0)), ("t", 1, at(1))]
