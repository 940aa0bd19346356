"""Where dirt goes: a measured rate of 1 in n puts exactly one case into each started block of n rows."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

MEASURED_ROWS = 84_922  # the rows of the public register that the rates were measured on


def number_of(measured: int, count: int) -> int:
    """How many cases `count` rows hold: one for every started block."""
    return -(-count * measured // MEASURED_ROWS)


def numbers(measured: Mapping[str, int], count: int) -> dict[str, int]:
    """The same for kinds that share a column: the rarest first, and no more than there are rows left."""
    planted: dict[str, int] = {}
    for kind in sorted(measured, key=measured.__getitem__):
        planted[kind] = min(number_of(measured[kind], count), count - sum(planted.values()))
    return planted


def places(measured: Mapping[str, int], count: int, chance: Random) -> dict[int, str]:
    """Row -> the kind of dirt that its column has; a row has one at most."""
    taken: dict[int, str] = {}
    for kind, planted in numbers(measured, count).items():
        for block in range(planted):
            first, end = (n * MEASURED_ROWS // measured[kind] for n in (block, block + 1))
            taken[_free(taken, first, min(end, count), count, chance)] = kind
    return taken


def _free(taken: Mapping[int, str], first: int, end: int, count: int, chance: Random) -> int:
    """A free row of the block, else the next free one."""
    row = first + chance.randrange(end - first)
    while row in taken:
        row = (row + 1) % count
    return row
