"""A hash tree over record ids: sixteen children a node, four levels; only differing nodes are looked into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

DEPTH = 4  # hex digits of a leaf's prefix
DIGITS = "0123456789abcdef"


class Node(NamedTuple):
    """How many (record id, version) pairs lie below, and the XOR of their hashes."""

    records: int = 0
    hash: int = 0


Tree = Mapping[str, Node]


def tree(leaves: Iterable[Mapping[str, Any]]) -> dict[str, Node]:
    """Every node by its prefix, the root under the empty one, from rows of prefix, records and hash."""
    nodes: dict[str, Node] = {"": Node()}
    for leaf in leaves:
        for length in range(DEPTH + 1):
            prefix = leaf["prefix"][:length]
            node = nodes.get(prefix, Node())
            nodes[prefix] = Node(node.records + leaf["records"], node.hash ^ leaf["hash"])
    return nodes


def differing(one: Tree, other: Tree, prefix: str = "") -> list[str]:
    """The leaves that differ."""
    if one.get(prefix, Node()) == other.get(prefix, Node()):
        return []
    if len(prefix) == DEPTH:
        return [prefix]
    return [leaf for digit in DIGITS for leaf in differing(one, other, prefix + digit)]


class Difference(NamedTuple):
    """A record that two stores do not hold in the same version; None: not at all."""

    record_id: str
    one: int | None
    other: int | None


def differences(one: Mapping[str, int], other: Mapping[str, int], waiting: frozenset[str]) -> list[Difference]:
    """Record by record; what waits in review has not come further yet, and is no difference."""
    ids = sorted((one.keys() | other.keys()) - waiting)
    return [Difference(i, one.get(i), other.get(i)) for i in ids if one.get(i) != other.get(i)]
