"""行政区划代码 of GB/T 2260 for Hubei, with the years each was in force: codes stay in use after a county is renamed.

`regions.csv`: code, name, first and last year, and where the facts come from; none was checked against the official
notices. Development zones that only the statistics bureau lists (421071, 421171) are no regions.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

PROVINCE = "42"


class Region(NamedTuple):
    """A region under one name; a missing year means not bounded on that side."""

    code: str
    name: str
    from_year: int | None
    to_year: int | None


@cache
def table() -> dict[str, tuple[Region, ...]]:
    """All entries by code, oldest first."""
    found: dict[str, list[Region]] = {}
    with files("services.kernel").joinpath("regions.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            first, last = (int(row[year]) if row[year] else None for year in ("from_year", "to_year"))
            found.setdefault(row["code"], []).append(Region(row["code"], row["name"], first, last))
    return {code: tuple(regions) for code, regions in found.items()}


def known(code: str) -> bool:
    """Whether the code has ever been in force. Codes of other provinces are not judged."""
    return not code.startswith(PROVINCE) or code in table()


def in_force(code: str, year: int) -> Region | None:
    """The region that had this code in that year."""
    for region in table().get(code, ()):
        if (region.from_year or 0) <= year <= (region.to_year or 9999):
            return region
    return None
