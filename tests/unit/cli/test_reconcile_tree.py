"""The hash tree finds exactly what differs."""

from __future__ import annotations

import random
from hashlib import sha256

from services.cli.reconcile_tree import Difference, differences, differing, tree

CHANCE = random.Random(20170929)
HELD = {CHANCE.randbytes(16): CHANCE.randrange(1, 5) for _ in range(5000)}


def leaves(held: dict[bytes, int]) -> list[dict[str, object]]:
    found: dict[str, list[int]] = {}
    for record_id, version in held.items():
        digest = sha256(record_id + version.to_bytes(8)).digest()
        found.setdefault(record_id[:2].hex(), []).append(int.from_bytes(digest[:8], signed=True))
    rows: list[dict[str, object]] = []
    for prefix, hashes in found.items():
        total = 0
        for one in hashes:
            total ^= one
        rows.append({"prefix": prefix, "records": len(hashes), "hash": total})
    return rows


def test_equal_stores_have_equal_trees_whatever_the_order() -> None:
    assert differing(tree(leaves(HELD)), tree(reversed(leaves(HELD)))) == []


def test_one_missing_record_and_one_older_version_are_found_and_nothing_else() -> None:
    missing, older = list(HELD)[7], list(HELD)[4000]
    other = {i: v - (i == older) for i, v in HELD.items() if i != missing}
    found = differing(tree(leaves(HELD)), tree(leaves(other)))
    assert found == sorted({missing[:2].hex(), older[:2].hex()})


def test_a_record_is_named_with_what_either_side_has() -> None:
    assert differences({"aa": 1, "bb": 2, "cc": 1}, {"bb": 1, "dd": 4}, frozenset({"cc"})) == [
        Difference("aa", 1, None), Difference("bb", 2, 1), Difference("dd", None, 4),
    ]  # fmt: skip
