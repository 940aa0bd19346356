"""Regions of Hubei with the years in which each code was in force."""

from __future__ import annotations

from collections import Counter

import pytest

from services.kernel import regions

COUNTIES_2023 = {
    "4201": 13, "4202": 6, "4203": 8, "4205": 13, "4206": 9, "4207": 3, "4208": 5, "4209": 7,
    "4210": 8, "4211": 10, "4212": 6, "4213": 3, "4228": 8, "4290": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "year", "name"),
    [("420821", 2017, "京山县"), ("420821", 2019, None), ("420882", 2019, "京山市"), ("420304", 2016, "郧阳区")],
)
def test_a_region_is_in_force_in_its_years_only(code: str, year: int, name: str | None) -> None:
    region = regions.in_force(code, year)
    assert (region and region.name) == name
    assert regions.known(code)


def test_unknown_regions_are_told_from_those_of_other_provinces() -> None:
    assert not regions.known("429999")
    assert regions.known("220721")


def test_the_counties_of_2023_are_counted_as_published() -> None:
    """103 county-level units, of which four stand directly under the province."""
    found = Counter(
        code[:4]
        for code in regions.table()
        if not code.endswith("00") and (region := regions.in_force(code, 2023)) and region.name != "市辖区"
    )
    assert found == COUNTIES_2023
    assert sum(found.values()) == 103


@pytest.mark.parametrize(
    ("code", "year", "name"),
    [
        ("421023", 2017, "监利县"),
        ("421088", 2021, "监利市"),
        ("420321", 2013, "郧县"),
        ("421302", 2008, "曾都区"),
        ("421303", 2010, "曾都区"),
        ("420600", 2005, "襄樊市"),
        ("420600", 2017, "襄阳市"),
        ("429021", 2017, "神农架林区"),
        ("421071", 2017, None),
        ("421171", 2017, None),
    ],
)
def test_the_history_that_meets_old_records(code: str, year: int, name: str | None) -> None:
    region = regions.in_force(code, year)
    assert (region and region.name) == name
