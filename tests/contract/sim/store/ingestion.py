"""Records, agencies, the catalogue and the feeds of ingestion."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.chassis.bulk import columns
from services.ingestion import queries
from services.ingestion.domain.catalogue_item import CatalogueItem, Edition
from services.ingestion.domain.life import Candidate, Consumer, Draft, Life, Publication, Retirement, Seal
from services.ingestion.queries import newer_reference
from services.ingestion.store import feeds, records, reference
from tests.contract.sim.store.case import Store, begin, case, values

AGENCIES = "SELECT code, items FROM agencies ORDER BY code"
EDITIONS = "SELECT code, version, definition, schema_id FROM catalogue ORDER BY code, version"
ITEMS = (
    "SELECT code, version, definition, schema_id FROM catalogue WHERE code = ANY($1) ORDER BY code, version FOR UPDATE"
)
WHOLE = CatalogueItem(
    (Edition(1, "{}", 5), Edition(2, "[]", 6)),
    Life(
        (Draft("420000-gsj", "{}", "operator", 1, 0),),
        Candidate(3, "{}", ("420000-gsj",), "operator", 2, (Seal("420100-gsj", "函", "operator", 3),)),
        (Publication(1, "文", "operator", 4, ("420000-gsj",), (Seal("420000-gsj", "函", "operator", 5),)),),
        (Consumer("reader", ("a", "b"), "operator", 6),),
        Retirement("并入他项", "文", "operator", 7),
        ("c-1", "c-2"),
    ),
)
RETIRED = "SELECT code FROM item_lives WHERE retired_at IS NOT NULL ORDER BY code"
REVISION = "SELECT number FROM reference_revision"


def record(record_no: str, version: int = 1, content: bytes = b"c", withdrawn: bool = False) -> tuple[Any, ...]:
    """A row of `records`."""
    return "a", "i", record_no, version, withdrawn, 5, 6, 1, 2, b"R", content, b"seen", b"said"


@case()
async def records_are_loaded_in_the_order_asked_for(store: Store) -> None:
    async with begin(store.pool) as tx:
        await records.NEW.insert(tx, [record("1"), record("2", 3, b"d", True)])
        found = await tx.fetch(records.LOAD, ["a", "a", "a"], ["i", "i", "i"], ["2", "9", "1"])
        assert values(found) == [
            ("a", "i", "2", 3, b"d", 5, True, b"seen"),
            ("a", "i", "1", 1, b"c", 5, False, b"seen"),
        ]


@case()
async def records_change(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.execute(records.NEW.statement, *columns([record("1"), record("2")])) == "INSERT 0 2"
        changed = columns([record("1", 2, b"e", True), record("3")])
        assert await tx.execute(records.CHANGE, *changed) == "UPDATE 1"
        assert await tx.execute(records.REMEMBER, ["a", "a"], ["i", "i"], ["2", "3"], [b"x", b"y"]) == "UPDATE 1"
    assert await store.rows("records", "record_no version content withdrawn seen") == [
        ("1", 2, b"e", True, b"seen"),
        ("2", 1, b"c", False, b"x"),
    ]


@case()
async def agencies_are_listed_and_replaced(store: Store) -> None:
    async with begin(store.pool) as tx:
        unknown: tuple[Any, ...] = ("", "", None, [])
        known = ("court", "a", date(2017, 6, 30), ["演示处", "", "演示科"])
        await tx.execute(reference.AGENCY_UPSERT, "b", "演示乙", "42", ["i"], ["c-1"], *unknown)
        await tx.execute(reference.AGENCY_UPSERT, "a", "演示甲", "42", [], [], *unknown)
        assert values(await tx.fetch(AGENCIES)) == [("a", []), ("b", ["i"])]
        await tx.execute(reference.AGENCY_UPSERT, "b", "演示丙", "43", ["j", "k"], ["c-2", "c-1"], *known)
        assert values(await tx.fetch(reference.AGENCIES_LOCKED, ["b", "x", "a"])) == [
            ("a", "演示甲", "42", [], [], *unknown),
            ("b", "演示丙", "43", ["j", "k"], ["c-2", "c-1"], *known),
        ]


@case()
async def editions_of_the_catalogue_are_listed_and_replaced(store: Store) -> None:
    async with begin(store.pool) as tx:
        assert await tx.fetchval(REVISION) == 0
        assert await tx.execute(reference.RAISE) == "UPDATE 1"
        await tx.execute(reference.EDITION_UPSERT, "i", 2, "{}", 7)
        await tx.execute(reference.EDITION_UPSERT, "i", 1, "{}", 6)
        await tx.execute(reference.EDITION_UPSERT, "h", 1, "{}", 5)
        await tx.execute(reference.EDITION_UPSERT, "i", 2, "[]", 8)
        assert values(await tx.fetch(EDITIONS)) == [("h", 1, "{}", 5), ("i", 1, "{}", 6), ("i", 2, "[]", 8)]
        assert values(await tx.fetch(ITEMS, ["i", "x"])) == [("i", 1, "{}", 6), ("i", 2, "[]", 8)]
        assert await tx.fetchval(REVISION) == 1


@case()
async def lives_of_items_are_kept_and_the_retired_are_listed(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(reference.LIFE_UPSERT, "j", None, "[1]")
        await tx.execute(reference.LIFE_UPSERT, "i", None, "[2]")
        assert values(await tx.fetch(RETIRED)) == []
        await tx.execute(reference.LIFE_UPSERT, "j", 7, "[3]")
        assert values(await tx.fetch(RETIRED)) == [("j",)]
        assert values(await tx.fetch(reference.LIVES, ["j", "x", "i"])) == [("i", "[2]"), ("j", "[3]")]


FEED = "day agency item partition accepted duplicate refused late_unit late_agency first_at last_at earliest_decided"


def fed(agency: str, partition: int, *counts: int, decided: int | None = None) -> tuple[Any, ...]:
    """A row of `feeds` of day 7; five counts and two moments."""
    return 7, agency, "i", partition, *counts, decided


@case()
async def counts_of_feeds_are_added_up(store: Store) -> None:
    async with begin(store.pool) as tx:
        rows = columns([fed("a", 0, 1, 2, 3, 4, 5, 60, 60), fed("a", 1, 1, 0, 0, 0, 0, 60, 60, decided=9)])
        assert await tx.execute(feeds.ADD, *rows) == "INSERT 0 2"
    async with begin(store.pool) as tx:
        later = columns([fed("a", 0, 10, 10, 10, 10, 10, 70, 70, decided=8), fed("a", 1, 1, 0, 0, 0, 0, 50, 50)])
        assert await tx.execute(feeds.ADD, *later) == "INSERT 0 2"
    assert await store.rows("feeds", FEED) == [
        (7, "a", "i", 0, 11, 12, 13, 14, 15, 60, 70, 8),
        (7, "a", "i", 1, 2, 0, 0, 0, 0, 50, 60, 9),
    ]
    async with begin(store.pool) as tx:
        await tx.execute(feeds.ADD, *columns([(6, "b", "i", 0, 1, 0, 0, 0, 0, 40, 40, None)]))
        assert values(await tx.fetch(queries.FEEDS, 6, 8))[2:] == [(6, "b", "i", 0, 1, 0, 0, 0, 0, 40, 40, None)]
        assert [row[3] for row in values(await tx.fetch(queries.FEEDS, 7, 8))] == [0, 1]
        assert [row[1] for row in values(await tx.fetch(queries.FEEDS, 6, 7))] == ["b"]


@case()
async def what_is_expected_of_a_feed_is_replaced(store: Store) -> None:
    async with begin(store.pool) as tx:
        await tx.execute(feeds.SAVE, "b", "i", 400, 1, 17, ["c-1"])
        await tx.execute(feeds.SAVE, "a", "i", 3, 5, 17, [])
        await tx.execute(feeds.SAVE, "b", "i", 4, 20, 18, ["c-1", "c-2"])
        assert values(await tx.fetch(feeds.LOAD, ["a", "b", "x"], ["i", "i", "i"])) == [
            ("a", "i", 3, 5, 17, []),
            ("b", "i", 4, 20, 18, ["c-1", "c-2"]),
        ]
        assert values(await tx.fetch(queries.EXPECTATIONS)) == [("a", "i", 3, 5, 17), ("b", "i", 4, 20, 18)]


@case()
async def an_item_is_loaded_as_it_was_saved(store: Store) -> None:
    async with begin(store.pool) as tx:
        drafted = CatalogueItem((), Life(WHOLE.life.drafts))
        await reference.save_items(tx, {}, {"i": drafted, "j": WHOLE, "k": CatalogueItem()})
        assert await reference.load_items(tx, ["i", "j", "k", "x"]) == {"i": drafted, "j": WHOLE}
        more = CatalogueItem((*WHOLE.editions, Edition(3, "3", 7)), WHOLE.life)
        await reference.save_items(tx, {"j": WHOLE}, {"j": more})
        assert await reference.load_items(tx, ["j"]) == {"j": more}
        known = await newer_reference(tx, 0)
        assert known is not None
        assert (known.revision, known.retired, [e.version for e in known.editions]) == (2, {"j"}, [1, 2, 3])
        assert await newer_reference(tx, 2) is None
