"""The hash tree finds exactly what differs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import pytest

from services.cli.reconcile_tree import DEPTH, Difference, Node, differences, differing, held, nodes, root

CHANCE = random.Random(20170929)
HELD = {CHANCE.randbytes(16): CHANCE.randrange(1, 5) for _ in range(5000)}


def told(stored: Mapping[bytes, int], digits: int, item: str = "") -> list[dict[str, Any]]:
    """What `digest nodes` says of a store, one node for each prefix of so many hex digits."""
    found: dict[str, tuple[int, int]] = {}
    for record_id, version in stored.items():
        digest = sha256(record_id + version.to_bytes(8)).digest()
        records, total = found.get(prefix := record_id.hex()[:digits], (0, 0))
        found[prefix] = records + 1, total ^ int.from_bytes(digest[:8], signed=True)
    return [
        {"view": "records", "item": item, "prefix": prefix, "records": records, "hash": total}
        for prefix, (records, total) in found.items()
    ]


def level(stored: Mapping[bytes, int], digits: int) -> dict[str, Node]:
    return nodes(told(stored, digits), "records", None)


def test_equal_stores_have_equal_nodes_whatever_the_order() -> None:
    assert differing(level(HELD, DEPTH), nodes(reversed(told(HELD, DEPTH)), "records", None)) == []


@pytest.mark.parametrize("digits", [2, DEPTH])
def test_one_missing_record_and_one_older_version_are_found_and_nothing_else(digits: int) -> None:
    missing, older = list(HELD)[7], list(HELD)[4000]
    other = {i: v - (i == older) for i, v in HELD.items() if i != missing}
    found = differing(level(HELD, digits), level(other, digits))
    assert found == sorted({missing.hex()[:digits], older.hex()[:digits]})


def test_a_node_is_what_its_children_are_together() -> None:
    assert root(level(HELD, 2)) == root(level(HELD, DEPTH))


def test_a_view_is_narrowed_to_the_items_asked_for() -> None:
    rows = told(HELD, 2, "org-permit") + told({b"x" * 16: 1}, 2, "court-defaulter")
    assert root(nodes(rows, "records", {"org-permit"})) == root(level(HELD, 2))
    assert root(nodes(rows, "records", None)).records == len(HELD) + 1
    assert nodes(rows, "another", None) == {}


def test_a_record_is_named_with_what_either_side_has() -> None:
    one, other = {"aa": (1,), "bb": (2,), "cc": (1,)}, {"bb": (1,), "dd": (4,)}
    assert differences(one, other, frozenset({"cc"})) == [
        Difference("aa", (1,), ()), Difference("bb", (2,), (1,)), Difference("dd", (), (4,)),
    ]  # fmt: skip


def test_a_record_that_is_there_twice_is_a_difference() -> None:
    def rows(versions: Sequence[int]) -> list[dict[str, Any]]:
        return [{"view": "records", "item": "", "record_id": "aa", "version": v} for v in versions]

    one, other = held(rows([1]), "records", None), held(rows([1, 1]), "records", None)
    assert differences(one, other, ()) == [Difference("aa", (1,), (1, 1))]
