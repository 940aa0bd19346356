"""Subjects, aliases, links and reviews of identity."""

from __future__ import annotations

from typing import Any

from services.identity.store import (
    aliases,
    code_links,
    ledger,
    links,
    locks,
    missing,
    pepper,
    rates,
    reviews,
    subjects,
)
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
        assert await tx.execute(aliases.PLACE_ALIASES, [b"b", b"a"], ["reg_no", "uscc"]) == "INSERT 0 2"
        assert await tx.execute(aliases.PLACE_ALIASES, [b"a", b"c"], ["reg_no", "reg_no"]) == "INSERT 0 1"
        saved = [b"a", b"x"], [b"S", b"S"], ["code-mapping", ""], [True, False]
        assert await tx.execute(aliases.SAVE_ALIASES, *saved) == "UPDATE 1"
        assert values(await tx.fetch(aliases.LOCK_ALIASES, [b"b", b"a", b"x"])) == [
            (b"a", "uscc", b"S", "code-mapping", True),
            (b"b", "reg_no", None, "", False),
        ]


@case("identity")
async def subjects_are_placed_locked_and_saved(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(subjects.PLACE_SUBJECTS, [b"b", b"a", b"b"]) == "INSERT 0 2"
        assert await tx.execute(subjects.PLACE_SUBJECTS, [b"a"]) == "INSERT 0 0"
        codes = '[["uscc","1"]]'
        saved = [b"a", b"x"], ["org", "org"], ["演示", None], [7, 0], [2, 1], [codes, "[]"], [b"b", None]
        assert await tx.execute(subjects.SAVE_SUBJECTS, *saved) == "UPDATE 1"
        locked = await tx.fetch(subjects.LOCK_SUBJECTS, [b"b", b"a", b"x"])
        assert values(locked) == [
            (b"a", "org", "演示", 7, 2, '[["uscc", "1"]]', b"b"),
            (b"b", "org", None, 0, 0, "[]", None),
        ]
        known = await tx.fetch(subjects.KNOWN_SUBJECTS, [b"b", b"a"])
        assert unordered(known) == [
            (b"a", "org", "演示", 7, 2, '[["uscc", "1"]]', b"b")
        ]  # a row that is only a lock is none


@case("identity")
async def links_are_made_and_moved(store: Store) -> None:
    async with begin(store.pool) as tx:
        await links.NEW_LINKS.insert(tx, [(b"r", b"S", 1, "USCC", "uscc", 5), (b"q", b"T", 2, "USCC", "uscc", 5)])
        await links.NEW_AGAIN.insert(tx, [(b"p", b"S", 1, "REG_NO", "reg_no", 5, 3)])
        moved = [b"r", b"x"], [b"U", b"S"], [3, 3], ["MAPPED", ""], ["reg_no", ""], [6, 6], [9, 9]
        assert await tx.execute(links.MOVE_LINKS, *moved) == "UPDATE 1"
        assert unordered(await tx.fetch(links.LINKS, [b"r", b"x"])) == [(b"r", b"U", 3, "MAPPED", "reg_no", 9)]
        assert await tx.execute(links.UNLINK, [b"q", b"x"]) == "DELETE 1"
    names = "record_id subject_id version linked_at link_no"
    assert await store.rows("record_links", names) == [(b"p", b"S", 1, 5, 3), (b"r", b"U", 3, 6, 9)]


async def hold(tx: Any, *held: tuple[bytes, int, bytes | None]) -> str:
    """Put versions in review: record, version, alias."""
    rest = ["i"] * len(held), ["a"] * len(held), ["reg_no"] * len(held)
    first = [h[0] for h in held], [h[1] for h in held], ["CODE_UNKNOWN"] * len(held), [h[2] for h in held]
    return str(
        await tx.execute(reviews.HOLD, *first, *rest, [b"body"] * len(held), [at(0)] * len(held), [4] * len(held))
    )


@case("identity")
async def what_waits_is_found_by_record_and_by_alias(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await hold(tx, (b"r", 2, b"A"), (b"r", 1, None), (b"q", 1, b"B")) == "INSERT 0 3"
        assert await hold(tx, (b"q", 1, b"A")) == "INSERT 0 1"  # again, with another alias
        head = ("CODE_UNKNOWN", b"A", "i", "a", b"body", 4)
        found = [(b"q", 1, *head), (b"r", 1, "CODE_UNKNOWN", None, "i", "a", b"body", 4), (b"r", 2, *head)]
        assert values(await tx.fetch(reviews.HELD, [], [b"A"])) == found
        assert values(await tx.fetch(reviews.HELD, [b"q"], [])) == found[:1]
        assert values(await tx.fetch(reviews.HELD, [b"x"], [b"B"])) == []


@case("identity")
async def what_is_settled_waits_no_more(store: Store) -> None:
    async with begin(store.pool) as tx:
        await hold(tx, (b"r", 1, b"A"), (b"r", 2, b"A"))
        settle = [b"r", b"r", b"x"], [1, 2, 1], ["SUPERSEDED", "LINKED", "LINKED"], [at(1), at(1), at(1)]
        assert await tx.execute(reviews.SETTLE, *settle) == "UPDATE 2"
        assert await tx.execute(reviews.SETTLE, *settle) == "UPDATE 0"
        assert await tx.fetch(reviews.HELD, [b"r"], [b"A"]) == []
    names = "state record_id version accepted settled_at"
    assert await store.rows("reviews", names) == [
        ("LINKED", b"r", 2, None, at(1)),
        ("SUPERSEDED", b"r", 1, None, at(1)),
    ]


@case("identity")
async def versions_are_missing_until_they_arrive(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(missing.MISS, [b"r", b"r", b"q"], [2, 1, 1]) == "INSERT 0 3"
        assert values(await tx.fetch(missing.MISSING, [b"r", b"x"])) == [(b"r", 1), (b"r", 2)]
        assert await tx.execute(missing.ARRIVE, [b"r", b"x"], [1, 1]) == "DELETE 1"
        assert values(await tx.fetch(missing.MISSING, [b"r"])) == [(b"r", 2)]


@case("identity")
async def what_comes_late_is_superseded_at_once(store: Store) -> None:
    async with begin(store.pool) as tx:
        late = [b"r"], [1], ["i"], ["a"], ["uscc"], [at(1)]
        assert await tx.execute(reviews.OVERTAKE, *late) == "INSERT 0 1"
        assert await tx.fetch(reviews.HELD, [b"r"], []) == []
    names = "state record_id version reason alias_id accepted held_at settled_at"
    assert await store.rows("reviews", names) == [("SUPERSEDED", b"r", 1, "OVERTAKEN", None, None, at(1), at(1))]


@case("identity")
async def who_is_alone_waits_for_those_who_are_together(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(locks.TOGETHER) == "SELECT 1"
    async with begin(store.pool) as tx:
        assert await tx.execute(locks.ALONE) == "SELECT 1"


@case("identity")
async def changes_of_links_are_counted(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.fetchval(ledger.NUMBER) == 0
        assert await tx.execute(ledger.COUNT, 3) == "UPDATE 1"
        assert await tx.fetchval(ledger.NUMBER) == 3


@case("identity")
async def what_mappings_claim_is_found_by_record_and_by_code(store: Store) -> None:
    async with begin(store.pool) as tx:
        claimed = [b"m", b"n", b"o"], [b"A", b"A", b"B"], [b"S", b"S", b"T"], ["reg_no"] * 3, ["1", "1", "2"]
        assert await tx.execute(ledger.MAP, *claimed) == "INSERT 0 3"
        assert await tx.execute(ledger.MAP, [b"o"], [b"C"], [b"T"], ["reg_no"], ["3"]) == "INSERT 0 1"
        both = [(b"m", b"A", b"S", "reg_no", "1"), (b"n", b"A", b"S", "reg_no", "1")]
        assert unordered(await tx.fetch(ledger.MAPPINGS, [b"m"], [])) == both
        assert unordered(await tx.fetch(ledger.MAPPINGS, [], [b"C"])) == [(b"o", b"C", b"T", "reg_no", "3")]
        assert await tx.execute(ledger.UNMAP, [b"m", b"x"]) == "DELETE 1"
        assert unordered(await tx.fetch(ledger.MAPPINGS, [b"m"], [b"A"])) == both[1:]


@case("identity")
async def what_a_code_linked_is_kept_until_it_is_forgotten(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(code_links.KEEP, [b"r", b"q"], [b"A", b"A"], [1, 1], [b"1", b"2"]) == "INSERT 0 2"
        assert await tx.execute(code_links.KEEP, [b"r"], [b"B"], [2], [b"3"]) == "INSERT 0 1"
        assert values(await tx.fetch(code_links.LINKED_BY, [b"A", b"B"])) == [(b"q", b"2"), (b"r", b"3")]
        assert values(await tx.fetch(code_links.LINKED_AS, [b"r", b"x"])) == [(b"r", b"3")]
        assert await tx.execute(code_links.FORGET, [b"r", b"x"]) == "DELETE 1"
        assert values(await tx.fetch(code_links.LINKED_BY, [b"B"])) == []
    assert await store.rows("code_links", "record_id version") == [(b"q", 1)]


@case("identity")
async def what_was_settled_is_opened_again(store: Store) -> None:
    async with begin(store.pool) as tx:
        await hold(tx, (b"r", 1, b"A"), (b"q", 3, b"A"), (b"p", 1, b"A"))
        settle = [b"r", b"q"], [1, 3], ["LINKED", "REJECTED"], [at(1), at(1)]
        assert await tx.execute(reviews.SETTLE, *settle) == "UPDATE 2"
        assert values(await tx.fetch(reviews.REJECTED, [b"q", b"r"])) == [(b"q", 3, 4)]
        assert await tx.execute(reviews.REOPEN, [b"r", b"p"], [1, 1]) == "DELETE 1"
        assert await hold(tx, (b"r", 1, b"A")) == "INSERT 0 1"
    assert await store.rows("reviews", "state record_id version") == [
        ("REJECTED", b"q", 3),
        ("WAITING", b"p", 1),
        ("WAITING", b"r", 1),
    ]


@case("identity")
async def subjects_are_found_with_all_for_whom_they_stand(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(subjects.PLACE_SUBJECTS, [b"a", b"b", b"c", b"d"])
        merged = [b"b", b"c"], ["org"] * 2, [None] * 2, [0] * 2, [1] * 2, ["[]"] * 2, [b"a", b"b"]
        await tx.execute(subjects.SAVE_SUBJECTS, *merged)
        assert unordered(await tx.fetch(ledger.TREES, [b"a"])) == [(b"a",), (b"b",), (b"c",)]
        assert unordered(await tx.fetch(ledger.TREES, [b"c", b"x"])) == [(b"c",), (b"x",)]


@case("identity")
async def records_are_found_by_the_subject_that_they_name(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(ledger.WHOLE)
        rows = [(b"p", b"S"), (b"q", b"T"), (b"r", b"S")]
        await links.NEW_LINKS.insert(tx, [(record, subject, 1, "USCC", "uscc", 5) for record, subject in rows])
        assert unordered(await tx.fetch(ledger.MEMBERS, [b"S", b"x"])) == [(b"S", b"p"), (b"S", b"r")]


@case("identity")
async def judgements_are_found_by_either_subject(store: Store) -> None:
    async with begin(store.pool) as tx:
        said = [2, 1], ["MERGED", "UNSURE"], [b"S", b"T"], [b"T", b"U"], ["b", "a"], ["r", "r"], [6, 5]
        assert await tx.execute(ledger.JUDGE, *said) == "INSERT 0 2"
        both = [(1, "UNSURE", b"T", b"U", "a", "r", 5), (2, "MERGED", b"S", b"T", "b", "r", 6)]
        assert values(await tx.fetch(ledger.JUDGEMENTS, [b"T"])) == both
        assert values(await tx.fetch(ledger.JUDGEMENTS, [b"U"])) == both[:1]


@case("identity")
async def orders_are_answered_once(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(ledger.ANSWER, "c-1", "A,B", None) == "INSERT 0 1"
        assert values(await tx.fetch(ledger.ANSWERED, ["c-1", "c-2"])) == [("c-1", "A,B", None)]


@case("identity")
async def reviews_are_claimed_and_decided(store: Store) -> None:
    async with begin(store.pool) as tx:
        await hold(tx, (b"r", 1, b"A"))
        assert await tx.execute(ledger.CLAIM, b"r", 1, "a", 7, None, None) == "UPDATE 1"
        assert await tx.execute(ledger.CLAIM, b"r", 2, "a", 7, None, None) == "UPDATE 0"
        assert values(await tx.fetch(ledger.CLAIMS, [b"r", b"x"])) == [(b"r", 1, "a", 7, None, None)]
        assert await tx.execute(ledger.DECIDE, "c-1", b"r", 1, "leave", None, True, "a", "r", 8) == "INSERT 0 1"
    assert await store.rows("decisions", "command_id decision subject_id") == [("c-1", "leave", None)]


@case("identity")
async def rates_are_added_up(store: Store) -> None:
    async with begin(store.pool) as tx:
        first = ["a", "b"], ["2017-09", "2017-09"], [3, 3], [10, 1], [1, 0], [2, 0], [0, 1]
        assert await tx.execute(rates.ADD, *first) == "INSERT 0 2"
        assert await tx.execute(rates.ADD, ["a"], ["2017-09"], [3], [5], [1], [0], [4]) == "INSERT 0 1"
    names = "agency month shard checked unmapped wrong duplicate"
    assert await store.rows("code_rates", names) == [("a", "2017-09", 3, 15, 2, 2, 4), ("b", "2017-09", 3, 1, 0, 0, 1)]
