"""Subjects, aliases, links and reviews of identity."""

from __future__ import annotations

from typing import Any

from services.identity.store import loading, pepper, saving
from tests.contract.sim.store.case import Store, at, begin, case, unordered, values


@case("identity")
async def the_mark_of_the_pepper_is_one(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.fetchval(pepper.MARK) is None
        assert await tx.execute(pepper.SET_MARK, b"m" * 16) == "INSERT 0 1"
        assert await tx.fetchval(pepper.MARK) == b"m" * 16


@case("identity")
async def aliases_are_placed_locked_and_saved(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(loading.PLACE_ALIASES, [b"b", b"a"], ["reg_no", "uscc"]) == "INSERT 0 2"
        assert await tx.execute(loading.PLACE_ALIASES, [b"a", b"c"], ["reg_no", "reg_no"]) == "INSERT 0 1"
        saved = [b"a", b"x"], [b"S", b"S"], ["code-mapping", ""], [True, False]
        assert await tx.execute(saving.ALIASES, *saved) == "UPDATE 1"
        assert values(await tx.fetch(loading.LOCK_ALIASES, [b"b", b"a", b"x"])) == [
            (b"a", "uscc", b"S", "code-mapping", True),
            (b"b", "reg_no", None, "", False),
        ]


@case("identity")
async def subjects_are_placed_locked_and_saved(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(loading.PLACE_SUBJECTS, [b"b", b"a", b"b"]) == "INSERT 0 2"
        assert await tx.execute(loading.PLACE_SUBJECTS, [b"a"]) == "INSERT 0 0"
        codes = '[["uscc","1"]]'
        saved = [b"a", b"x"], ["org", "org"], ["演示", None], [7, 0], [2, 1], [codes, "[]"]
        assert await tx.execute(saving.SUBJECTS, *saved) == "UPDATE 1"
        locked = await tx.fetch(loading.LOCK_SUBJECTS, [b"b", b"a", b"x"])
        assert values(locked) == [(b"a", "org", "演示", 7, 2, '[["uscc", "1"]]'), (b"b", "org", None, 0, 0, "[]")]
        known = await tx.fetch(loading.KNOWN_SUBJECTS, [b"b", b"a"])
        assert unordered(known) == [(b"a", "org", "演示", 7, 2, '[["uscc", "1"]]')]  # a row that is only a lock is none


@case("identity")
async def links_are_made_and_moved(store: Store) -> None:
    async with begin(store.pool) as tx:
        await saving.NEW_LINKS.insert(tx, [(b"r", b"S", 1, "USCC", "uscc", 5), (b"q", b"T", 2, "USCC", "uscc", 5)])
        moved = [b"r", b"x"], [b"S", b"S"], [3, 3], ["MAPPED", ""], ["reg_no", ""], [6, 6]
        assert await tx.execute(saving.LINKS, *moved) == "UPDATE 1"
        assert unordered(await tx.fetch(loading.LINKS, [b"r", b"x"])) == [(b"r", b"S", 3, "MAPPED", "reg_no")]
    names = "record_id subject_id version linked_at"
    assert await store.rows("record_links", names) == [(b"q", b"T", 2, 5), (b"r", b"S", 3, 6)]


async def hold(tx: Any, *held: tuple[bytes, int, bytes | None]) -> str:
    """Put versions in review: record, version, alias."""
    rest = ["i"] * len(held), ["a"] * len(held), ["reg_no"] * len(held)
    first = [h[0] for h in held], [h[1] for h in held], ["CODE_UNKNOWN"] * len(held), [h[2] for h in held]
    return str(await tx.execute(saving.HOLD, *first, *rest, [b"body"] * len(held), [at(0)] * len(held)))


@case("identity")
async def what_waits_is_found_by_record_and_by_alias(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await hold(tx, (b"r", 2, b"A"), (b"r", 1, None), (b"q", 1, b"B")) == "INSERT 0 3"
        assert await hold(tx, (b"q", 1, b"A")) == "INSERT 0 1"  # again, with another alias
        head = ("CODE_UNKNOWN", b"A", "i", "a", b"body")
        found = [(b"q", 1, *head), (b"r", 1, "CODE_UNKNOWN", None, "i", "a", b"body"), (b"r", 2, *head)]
        assert values(await tx.fetch(loading.HELD, [], [b"A"])) == found
        assert values(await tx.fetch(loading.HELD, [b"q"], [])) == found[:1]
        assert values(await tx.fetch(loading.HELD, [b"x"], [b"B"])) == []


@case("identity")
async def what_is_settled_waits_no_more(store: Store) -> None:
    async with begin(store.pool) as tx:
        await hold(tx, (b"r", 1, b"A"), (b"r", 2, b"A"))
        settle = [b"r", b"r", b"x"], [1, 2, 1], ["SUPERSEDED", "LINKED", "LINKED"], [at(1), at(1), at(1)]
        assert await tx.execute(saving.SETTLE, *settle) == "UPDATE 2"
        assert await tx.execute(saving.SETTLE, *settle) == "UPDATE 0"
        assert await tx.fetch(loading.HELD, [b"r"], [b"A"]) == []
    names = "state record_id version accepted settled_at"
    assert await store.rows("reviews", names) == [
        ("LINKED", b"r", 2, None, at(1)),
        ("SUPERSEDED", b"r", 1, None, at(1)),
    ]


@case("identity")
async def versions_are_missing_until_they_arrive(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(saving.MISS, [b"r", b"r", b"q"], [2, 1, 1]) == "INSERT 0 3"
        assert values(await tx.fetch(loading.MISSING, [b"r", b"x"])) == [(b"r", 1), (b"r", 2)]
        assert await tx.execute(saving.ARRIVE, [b"r", b"x"], [1, 1]) == "DELETE 1"
        assert values(await tx.fetch(loading.MISSING, [b"r"])) == [(b"r", 2)]


@case("identity")
async def what_comes_late_is_superseded_at_once(store: Store) -> None:
    async with begin(store.pool) as tx:
        late = [b"r"], [1], ["i"], ["a"], ["uscc"], [at(1)]
        assert await tx.execute(saving.OVERTAKE, *late) == "INSERT 0 1"
        assert await tx.fetch(loading.HELD, [b"r"], []) == []
    names = "state record_id version reason alias_id accepted held_at settled_at"
    assert await store.rows("reviews", names) == [("SUPERSEDED", b"r", 1, "OVERTAKEN", None, None, at(1), at(1))]
