"""Standings, what is shown, counts, catalogue and cards of disclosure."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.chassis.bulk import columns
from services.disclosure.store import counts, disclosed, reference, standings
from tests.contract.sim.store.case import Store, begin, case, unordered


def shown(record: bytes, version: int = 1, public: bool = True) -> tuple[Any, ...]:
    """A row of `disclosed_records`."""
    said = ("i", 1, "a", "s-1", None, "演示", date(2017, 9, 28), 5, b"f", 6)
    return b"S", record, version, public, True, *said


@case("disclosure")
async def a_standing_comes_with_what_is_shown(store: Store) -> None:
    async with begin(store.pool) as tx:
        await standings.NEW_STANDINGS.insert(tx, [(b"p", 1, b"S", True), (b"r", 2, b"S", False)])
        await disclosed.NEW_SHOWN.insert(tx, [shown(b"r")])
        found = await tx.fetch(standings.STANDINGS, [b"r", b"p", b"x"])
        assert unordered(found) == [
            (b"p", 1, b"S", True, 0, False, *[None] * 15),
            (b"r", 2, b"S", False, 0, False, *shown(b"r")),
        ]
        assert next(row for row in found if row["id"] == b"r")["version"] == 1


@case("disclosure")
async def a_standing_moves_from_the_version_that_was_read(store: Store) -> None:
    async with begin(store.pool) as tx:
        await standings.NEW_STANDINGS.insert(tx, [(b"p", 1, b"S", False), (b"r", 2, b"S", False)])
        await standings.NEW_LINKS.insert(tx, [(b"q", 0, b"S", False, 3, True)])
        moves = [b"p", b"q", b"r", b"x"], [4, 1, 5, 6], [b"T"] * 4, [True] * 4, [0, 4, 0, 0], [False] * 4
        assert await tx.execute(standings.MOVE_STANDINGS, *moves, [1, 0, 1, 1], [0, 2, 0, 0]) == "UPDATE 1"
    assert await store.rows("record_standing", "record_id version subject_id withdrawn link_no nobodys") == [
        (b"p", 4, b"T", True, 0, False),
        (b"q", 0, b"S", False, 3, True),
        (b"r", 2, b"S", False, 0, False),
    ]


@case("disclosure")
async def counts_move_from_what_was_read(store: Store) -> None:
    async with begin(store.pool) as tx:
        await counts.NEW_COUNTS.insert(tx, [(b"S", 1, 2), (b"T", 3, 4)])
        moves = [b"S", b"T", b"x"], [5, 5, 5], [6, 6, 6], [1, 3, 0], [2, 3, 0]
        assert await tx.execute(counts.MOVE_COUNTS, *moves) == "UPDATE 1"
        assert unordered(await tx.fetch(counts.COUNTS, [b"T", b"S", b"x"])) == [
            (b"S", 5, 6, False),
            (b"T", 3, 4, False),
        ]


@case("disclosure")
async def who_is_erased_stays_so_and_counts_no_more(store: Store) -> None:
    async with begin(store.pool) as tx:
        await counts.NEW_COUNTS.insert(tx, [(b"S", 1, 2), (b"T", 3, 4)])
        await counts.NEW_ERASED.insert(tx, [(b"U", 0, 0, True)])
        ends = [b"S", b"T", b"U", b"x"], [1, 3, 1, 1], [5, 5, 1, 1], [1, 3, 0, 0], [2, 3, 0, 0]
        assert await tx.execute(counts.ERASE, *ends) == "UPDATE 1"
        assert await tx.execute(counts.MOVE_COUNTS, [b"S"], [2], [6], [1], [5]) == "UPDATE 0"
        assert unordered(await tx.fetch(counts.COUNTS, [b"S", b"T", b"U"])) == [
            (b"S", 1, 5, True),
            (b"T", 3, 4, False),
            (b"U", 0, 0, True),
        ]


@case("disclosure")
async def all_that_is_shown_of_subjects_is_found(store: Store) -> None:
    async with begin(store.pool) as tx:
        other = (b"T", *shown(b"p")[1:])
        await disclosed.NEW_SHOWN.insert(tx, [shown(b"q"), shown(b"r"), other])
        assert unordered(await tx.fetch(standings.OF_SUBJECTS, [b"S", b"x"])) == [(b"q",), (b"r",)]


@case("disclosure")
async def what_is_shown_changes_and_goes(store: Store) -> None:
    async with begin(store.pool) as tx:
        await disclosed.NEW_SHOWN.insert(tx, [shown(b"r"), shown(b"q"), shown(b"p")])
        assert await tx.execute(disclosed.CHANGE_SHOWN, *columns([shown(b"r", 2, False), shown(b"x")])) == "UPDATE 1"
        assert await tx.execute(disclosed.HIDE, [b"S", b"T", b"S"], [b"q", b"p", b"x"]) == "DELETE 1"
    assert await store.rows("disclosed_records", "record_id version in_public subject_name") == [
        (b"p", 1, True, "演示"),
        (b"r", 2, False, "演示"),
    ]


@case("disclosure")
async def editions_are_known(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.fetchval("SELECT number FROM catalogue_revision") == 0
        await tx.execute(reference.EDITION_UPSERT, "i", 1, ["a", "b"], [True, False])
        await tx.execute(reference.EDITION_UPSERT, "j", 1, ["a"], [False])
        await tx.execute(reference.EDITION_UPSERT, "i", 1, ["c"], [False])
        assert await tx.execute(reference.RAISE) == "UPDATE 1"
        assert unordered(await tx.fetch(reference.EDITIONS)) == [("i", 1, ["c"], [False]), ("j", 1, ["a"], [False])]
        some = await tx.fetch(reference.EDITIONS + " WHERE code = ANY($1::text[])", ["j", "x"])
        assert unordered(some) == [("j", 1, ["a"], [False])]
        assert await tx.fetchval("SELECT number FROM catalogue_revision") == 1


@case("disclosure")
async def cards_are_replaced_and_keep_lists_of_codes(store: Store) -> None:
    async with begin(store.pool) as tx:
        cards = [b"S", b"T"], [1, 1], ["org", "org"], ["演示", None], ["uscc\nreg_no", ""], ["1\n2", ""]
        cards = (*cards, [None, None], [5, 5])
        assert await tx.execute(reference.CARD_UPSERT, *cards) == "INSERT 0 2"
        one = [b"S"], [2], ["org"], ["演示乙"], ["uscc"], ["1"], [b"T"], [6]
        assert await tx.execute(reference.CARD_UPSERT, *one) == "INSERT 0 1"
        assert unordered(await tx.fetch(reference.CARDS, [b"S", b"T", b"x"])) == [
            (b"S", 2, "org", "演示乙", ["uscc"], ["1"], b"T"),
            (b"T", 1, "org", None, [], [], None),
        ]


@case("disclosure")
async def codes_come_and_go(store: Store) -> None:
    async with begin(store.pool) as tx:
        new = ["uscc", "reg_no"], ["1", "2"], [b"S", b"S"]
        assert await tx.execute(reference.CODES_NEW, *new) == "INSERT 0 2"
        assert await tx.execute(reference.CODES_NEW, ["uscc", "uscc"], ["1", "1"], [b"S", b"T"]) == "INSERT 0 1"
        assert await tx.execute(reference.CODES_GONE, ["uscc", "uscc"], ["1", "2"], [b"S", b"S"]) == "DELETE 1"
    names = "code kind subject_id"
    assert await store.rows("subject_codes", names) == [("1", "uscc", b"T"), ("2", "reg_no", b"S")]
