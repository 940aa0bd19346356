"""The table of earlier field sets is checked when its item is published: all faults at once, each with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from services.ingestion.config import load_catalogue
from services.ingestion.domain.definition import parse

PENALTY = {shipped.item.code: shipped for shipped in load_catalogue()}["org-penalty"].definition


def places(change: Any) -> set[str]:
    definition: Any = copy.deepcopy(dict(PENALTY))
    change(definition)
    _, faults = parse(definition)
    assert {fault.code for fault in faults} <= {"DEFINITION_FAULT"}
    return {fault.field for fault in faults}


def test_the_shipped_table_has_no_fault_and_an_item_needs_none() -> None:
    assert places(lambda d: None) == set()
    assert places(lambda d: d.pop("vintages")) == set()
    assert places(lambda d: d.pop("business_key")) == set()


def everything_wrong(definition: Any) -> None:
    table = definition["vintages"]
    definition["business_key"] = ["CF_NO_SUCH"]
    table["verification"] = "believed"
    table["kind_field"] = "CF_NO_SUCH"
    table["codes"] = {"passport": "CF_WSH"}
    table["long_term"]["fields"] = ["CF_NO_SUCH"]
    table["moon"] = 1
    first = table["shapes"][0]
    first["columns"][0] |= {"to": "CF_NO_SUCH", "unit": "dollar"}
    first["columns"].append({"to": "CF_WSH"})
    first["columns"].append({"to": "CF_WSH", "from": ["X"], "values": {"0": 1}})
    last = len(first["columns"])
    assert last == 17
    table["shapes"][1]["marks"].append("CF_XDR_ZDM")
    table["shapes"][2]["name"] = ""


def test_every_fault_of_the_table_is_told_at_once() -> None:
    assert places(everything_wrong) == {
        "business_key", "vintages.source", "vintages.kind_field", "vintages.codes", "vintages.long_term.fields",
        "vintages.moon", "vintages.shapes[0].columns[0].to", "vintages.shapes[0].columns[0].unit",
        "vintages.shapes[0].columns[15].from", "vintages.shapes[0].columns[16].values", "vintages.shapes[1].marks",
        "vintages.shapes[2].name",
    }  # fmt: skip


@pytest.mark.parametrize("junk", [3, [], "x", {}, {"shapes": 3}, {"shapes": [3]}, {"shapes": [{"columns": 3}]}])
def test_junk_is_a_fault_and_no_exception(junk: Any) -> None:
    assert places(lambda d: d.__setitem__("vintages", junk))


@pytest.mark.parametrize("junk", [3, "x", [3], {}])
def test_a_business_key_that_is_no_list_of_fields_is_a_fault(junk: Any) -> None:
    assert places(lambda d: d.__setitem__("business_key", junk)) == {"business_key"}
