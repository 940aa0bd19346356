"""Persons' keys: made by whoever comes first, wrapped anew, destroyed for ever."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from services.identity.keys import store as sql
from services.identity.store import subjects
from tests.contract.sim.store.case import Store, begin, case, unordered, values
from tests.contract.sim.store.locks import race

A, B, C = b"a" * 16, b"b" * 16, b"c" * 16
KEYS = "subject_id wrapped kek_id made_at"


async def alone(store: Store, statement: str, *arguments: Any) -> str:
    async with begin(store.pool) as tx:
        tag: str = await tx.execute(statement, *arguments)
        return tag


def make(kek_id: str, *keys: tuple[bytes, bytes], at: int = 5) -> tuple[Any, ...]:
    return sql.MAKE, [one for one, _ in keys], [wrapped for _, wrapped in keys], kek_id, at


@case("identity")
async def the_mark_of_the_kek_is_set_once_and_moved(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.fetchval(sql.MARK) is None
        assert await tx.execute(sql.SET_MARK, "k1") == "INSERT 0 1"
        assert await tx.execute(sql.SET_MARK, "k2") == "INSERT 0 0"
        assert await tx.fetchval(sql.MARK) == "k1"
        assert await tx.execute(sql.MOVE_MARK, "k2") == "INSERT 0 1"
        assert await tx.fetchval(sql.MARK) == "k2"
    assert await store.rows("kek", "kek_id") == [("k2",)]


@case("identity")
async def a_mark_is_also_moved_where_none_was_set(store: Store) -> None:
    assert await alone(store, sql.MOVE_MARK, "k1") == "INSERT 0 1"
    assert await store.rows("kek", "kek_id") == [("k1",)]


@case("identity")
async def keys_are_made_once_and_found(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k1")
    assert await alone(store, *make("k1", (B, b"B"), (A, b"A"))) == "INSERT 0 2"
    assert await alone(store, *make("k1", (B, b"another"), (C, b"C"), at=6)) == "INSERT 0 1"
    async with begin(store.pool) as tx:
        assert unordered(await tx.fetch(sql.FIND, [C, B, b"x" * 16])) == [(B, b"B", "k1"), (C, b"C", "k1")]
    assert await store.rows("person_keys", KEYS) == [(A, b"A", "k1", 5), (B, b"B", "k1", 5), (C, b"C", "k1", 6)]


@case("identity")
async def no_key_is_made_under_a_kek_that_does_not_stand(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k2")
    assert await alone(store, *make("k1", (A, b"A"))) == "INSERT 0 0"
    assert await store.rows("person_keys", KEYS) == []


@case("identity")
async def a_key_is_not_made_when_the_kek_is_replaced_while_it_waits(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k1")
    moved = ("execute", sql.MOVE_MARK, "k2")
    assert await race(store, moved, ("execute", *make("k1", (A, b"A")))) == "INSERT 0 0"
    assert await store.rows("person_keys", KEYS) == []


@case("identity")
async def a_rotation_waits_for_who_makes_keys(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k1")
    made = ("execute", *make("k1", (A, b"A")))
    assert await race(store, made, ("execute", sql.MOVE_MARK, "k2")) == "INSERT 0 1"
    async with begin(store.pool) as tx:
        assert values(await tx.fetch(sql.LEFT, "k2", 10)) == [(A, b"A", "k1")]


@case("identity")
async def of_two_who_make_one_key_the_first_has_made_it(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k1")
    first, second = ("execute", *make("k1", (A, b"first"))), ("execute", *make("k1", (A, b"second")))
    assert await race(store, first, second) == "INSERT 0 0"
    assert await store.rows("person_keys", KEYS) == [(A, b"first", "k1", 5)]


@case("identity")
async def an_erasure_is_final_whoever_comes_first(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k1")
    made, destroyed = ("execute", *make("k1", (A, b"A"))), ("execute", sql.DESTROY, [A], [9])
    assert await race(store, made, destroyed) == "INSERT 0 1"
    other = ("execute", *make("k1", (B, b"B"))), ("execute", sql.DESTROY, [B], [9])
    assert await race(store, other[1], other[0]) == "INSERT 0 0"
    assert await store.rows("person_keys", KEYS) == [(A, None, None, 9), (B, None, None, 9)]


@case("identity")
async def what_is_wrapped_under_others_is_wrapped_anew_and_nothing_else(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k1")
    await alone(store, *make("k1", (A, b"A"), (B, b"B"), (C, b"C")))
    await alone(store, sql.MOVE_MARK, "k2")
    await alone(store, sql.DESTROY, [C], [9])
    async with begin(store.pool) as tx:
        assert unordered(await tx.fetch(sql.LEFT, "k2", 10)) == [(A, b"A", "k1"), (B, b"B", "k1")]
        assert len(await tx.fetch(sql.LEFT, "k2", 1)) == 1
        again = [A, B, C], [b"A", b"changed meanwhile", b"C"], [b"A2", b"B2", b"C2"], "k2"
        assert await tx.execute(sql.REWRAP, *again) == "UPDATE 1"
        assert values(await tx.fetch(sql.LEFT, "k2", 10)) == [(B, b"B", "k1")]
        assert values([await tx.fetchrow(sql.COUNTS, "k2", 10)]) == [(1, 0)]
        assert values([await tx.fetchrow(sql.COUNTS, "k2", 0)]) == [(0, 0)]
    assert await store.rows("person_keys", KEYS) == [(A, b"A2", "k2", 5), (B, b"B", "k1", 5), (C, None, None, 9)]


@case("identity")
async def a_key_is_not_wrapped_anew_when_it_is_destroyed_meanwhile(store: Store) -> None:
    await alone(store, sql.SET_MARK, "k1")
    await alone(store, *make("k1", (A, b"A")))
    destroyed = ("execute", sql.DESTROY, [A], [9])
    assert await race(store, destroyed, ("execute", sql.REWRAP, [A], [b"A"], [b"A2"], "k2")) == "UPDATE 0"
    assert await store.rows("person_keys", KEYS) == [(A, None, None, 9)]


@case("identity")
async def tombstones_and_rotations_are_entered_once(store: Store) -> None:
    async with begin(store.pool) as tx:
        await sql.NEW_ERASURES.insert(tx, [(A, "c1", "operator", "why", 9)])
        await sql.NEW_ROTATIONS.insert(tx, [(2, "k2", "c3", 8), (1, "k9", "c2", 9)])
        assert values(await tx.fetch(sql.ERASED, [A, B])) == [(A, "c1", "operator", "why", 9)]
        assert values(await tx.fetch(sql.ROTATIONS)) == [("k9",), ("k2",)]
        assert values([await tx.fetchrow(sql.COUNTS, "k2", 10)]) == [(0, 1)]
    for rows, row in ((sql.NEW_ERASURES, (A, "c2", "o", "w", 9)), (sql.NEW_ROTATIONS, (2, "k3", "c", 9))):
        with pytest.raises(asyncpg.UniqueViolationError):
            await alone(store, rows.statement, *[[value] for value in row])


@case("identity")
async def known_organisations_are_told_from_persons(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(subjects.PLACE_SUBJECTS, [A, B])
        await tx.execute(subjects.SAVE_SUBJECTS, [A], ["org"], [None], [0], [1], ["[]"], [None])
        assert values(await tx.fetch(sql.ORGANISATIONS, [A, B, C])) == [(A,)]
