"""A hash tree over record ids: 256 children a node, two levels; only what differs is looked into."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

DEPTH = 4  # hex digits of a leaf's prefix; a level has two
Row = dict[str, Any]


class Node(NamedTuple):
    """How many (record id, version) pairs lie below, and the XOR of their hashes."""

    records: int = 0
    hash: int = 0


def nodes(rows: Iterable[Row], view: str, items: Collection[str] | None) -> dict[str, Node]:
    """One view's nodes by prefix, of these items together (None: of all)."""
    found: dict[str, Node] = {}
    for row in of(rows, view, items):
        node = found.get(row["prefix"], Node())
        found[row["prefix"]] = Node(node.records + row["records"], node.hash ^ row["hash"])
    return found


def of(rows: Iterable[Row], view: str, items: Collection[str] | None) -> Iterable[Row]:
    """The rows of one view and of these items."""
    return (row for row in rows if row["view"] == view and (items is None or row["item"] in items))


def root(children: Mapping[str, Node]) -> Node:
    """What the children say together."""
    found = Node()
    for child in children.values():
        found = Node(found.records + child.records, found.hash ^ child.hash)
    return found


def differing(one: Mapping[str, Node], other: Mapping[str, Node]) -> list[str]:
    """The prefixes whose nodes differ."""
    return sorted(p for p in one.keys() | other.keys() if one.get(p, Node()) != other.get(p, Node()))


Held = Mapping[str, Collection[int]]  # record id -> its versions: one, if all is well


def held(rows: Iterable[Row], view: str, items: Collection[str] | None) -> Held:
    """One view's records."""
    found: dict[str, list[int]] = {}
    for row in of(rows, view, items):
        found.setdefault(row["record_id"], []).append(row["version"])
    return {record_id: tuple(sorted(versions)) for record_id, versions in found.items()}


class Difference(NamedTuple):
    """A record that two stores do not hold in the same version; empty: not at all, two versions: twice."""

    record_id: str
    one: Collection[int]
    other: Collection[int]


def differences(one: Held, other: Held, waiting: Collection[str]) -> list[Difference]:
    """Record by record; what waits in review has not come further yet, and is no difference."""
    ids = sorted((one.keys() | other.keys()) - set(waiting))
    return [Difference(i, one.get(i, ()), other.get(i, ())) for i in ids if one.get(i) != other.get(i)]
