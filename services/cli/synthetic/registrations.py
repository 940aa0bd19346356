"""Rows as the public register has them, with its dirt at the measured rates. All of it is invented."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from services.cli.synthetic import codes, words
from services.cli.synthetic.capital import capital
from services.cli.synthetic.chance import day, source, weighted
from services.cli.synthetic.measured import DIRT, KIND_OF_TYPE, KINDS, PLACES, TYPES, YEARS
from services.cli.synthetic.spread import numbers, places
from services.cli.synthetic.texts import address, full_width_name, scope
from services.kernel import uscc

COLUMNS = (
    "企业名称",
    "统一社会信用代码",
    "注册日期",
    "企业类型",
    "注册资金",
    "经营范围",
    "所在省份",
    "地区",
    "注册地址",
)
MISSING = "N/A"


def plan(count: int) -> dict[str, int]:
    """How many of `count` rows have each kind of dirt."""
    return {kind: number for kinds in DIRT.values() for kind, number in numbers(kinds, count).items()}


def registrations(seed: int, count: int) -> Iterator[dict[str, str]]:
    """So many rows in the order of their dates; names and codes are unique, dirt is as `plan` says."""
    chance = source(seed, "registrations")
    dirt = {column: places(kinds, count, chance) for column, kinds in DIRT.items()}
    taken: set[str] = set()
    for row, registered in enumerate(_dates(count, chance)):
        kinds = {column: where.get(row, "") for column, where in dirt.items()}
        yield _row(row, registered, kinds, taken, chance)


def _dates(count: int, chance: Random) -> list[date]:
    years = chance.choices(list(YEARS), list(YEARS.values()), k=count)
    return sorted(day(chance, date(year, 1, 1), date(year, 12, 31)) for year in years)


def _row(number: int, registered: date, dirt: dict[str, str], taken: set[str], chance: Random) -> dict[str, str]:
    legal_form = MISSING if dirt["企业类型"] else weighted(chance, TYPES)
    kind = KIND_OF_TYPE.get(legal_form) or weighted(chance, KINDS)
    place = weighted(chance, PLACES)
    name = words.name(number, place, chance.choice(words.TRADES), chance.choice(words.SUFFIXES[kind]))
    values = (
        full_width_name(name, place) if dirt["企业名称"] else name,
        _code(dirt["统一社会信用代码"], kind + words.region(place, chance), taken, chance),
        registered.isoformat(),
        legal_form,
        capital(dirt["注册资金"], chance),
        scope(dirt["经营范围"], chance),
        "湖北",
        MISSING if dirt["地区"] else place,
        address(dirt["注册地址"], place, chance),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _code(dirt: str, head: str, taken: set[str], chance: Random) -> str:
    code = uscc.complete(head + codes.new_org_code(codes.REGISTERED, chance, taken))
    if dirt == "lower_case_code":
        return code.lower()
    if dirt == "wrong_inner_digit":
        return codes.wrong_inner(code, chance)
    return codes.wrong_check(code, chance) if dirt == "wrong_check_digit" else code
