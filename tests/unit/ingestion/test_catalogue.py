"""What an item's definition must hold, and what it must not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services.ingestion.config import load_catalogue
from services.ingestion.domain.definition import parse
from services.ingestion.domain.denylist import forbidden_name

CATALOGUE = {shipped.item.code: shipped for shipped in load_catalogue()}


def changed(**changes: Any) -> dict[str, Any]:
    plain = {k: v for k, v in CATALOGUE["org-penalty"].definition.items() if k not in ("vintages", "business_key")}
    return copy.deepcopy(plain) | changes


def field(**changes: Any) -> dict[str, Any]:
    plain = {"code": "X", "name_zh": "某", "name_en": "x", "type": "string", "max_length": 9, "required": "optional"}
    return plain | {"sensitivity": "none"} | changes


def codes(definition: dict[str, Any]) -> set[str]:
    item, faults = parse(definition)
    assert (item is None) == bool(faults)
    return {fault.code for fault in faults}


def test_every_shipped_item_says_everything_and_rests_on_a_law_and_the_notice() -> None:
    assert len(CATALOGUE) >= 45
    for shipped in CATALOGUE.values():
        item = shipped.item
        assert item.standing.in_force_from is not None, item.code
        assert any(basis.verification == "seed" for basis in item.legal_basis), item.code
        assert {key for key in shipped.definition if key in ("include", "block")} == set()


def test_no_item_without_a_legal_basis() -> None:
    assert "LEGAL_BASIS_MISSING" in codes(changed(legal_basis=[]))


@pytest.mark.parametrize("name", ["宗教信仰", "血型", "法定代表人身份证号码", "民族", "性别", "出生地"])
def test_no_item_with_a_forbidden_attribute(name: str) -> None:
    assert codes(changed(fields=[field(name_zh=name)], display={"period": "P1Y"}, national="")) == {
        "ATTRIBUTE_FORBIDDEN"
    }


def test_income_is_refused_only_where_the_subject_may_be_a_natural_person() -> None:
    assert forbidden_name("收入", "Income", ("org", "sole_trader"))
    assert not forbidden_name("营业收入", "Turnover", ("org",))


def test_every_fault_of_a_definition_is_reported_at_once() -> None:
    definition = changed(disclosure="secret", deadline={"days": 0, "unit": "moons"}, agencies="all")
    _, faults = parse(definition)
    assert {f.field for f in faults} == {"disclosure", "deadline.days", "deadline.unit", "agencies"}


@pytest.mark.parametrize("junk", [{}, {"fields": 3}, {"fields": [1]}, {"deadline": []}, {"legal_basis": "law"}])
def test_junk_is_a_fault_and_no_exception(junk: dict[str, Any]) -> None:
    assert "DEFINITION_FAULT" in codes(junk)


def test_a_rule_that_names_an_unknown_field_is_a_fault() -> None:
    odd = field(type="date", required="conditional:Y=1")
    assert codes(changed(fields=[odd], display={"period": "P1Y"})) == {"DEFINITION_FAULT"}
