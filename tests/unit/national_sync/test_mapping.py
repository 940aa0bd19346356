"""From payloads to national fields, and the mappings against the catalogue."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.national_platform import layouts
from services.national_sync.config import load_mappings
from services.national_sync.domain.mapping import MappingFault, Unmappable, mapping_from, to_national
from tests.support.linked_record import item_schema

MAPPINGS = load_mappings()
CATALOGUE = Path(__file__).parents[3] / "services" / "ingestion" / "catalogue"
SMALL = mapping_from(
    {
        "item": "i",
        "vintage": "2018",
        "dataset": "d",
        "fields": [
            {"to": "A"},
            {"to": "B", "from": "b", "kind": "code"},
            {"to": "C", "kind": "date"},
            {"to": "D", "kind": "wan_yuan"},
        ],
    }
)


@pytest.mark.parametrize("item", sorted(MAPPINGS))
def test_every_field_of_the_item_is_passed_on_or_withheld(item: str) -> None:
    payload = next(f for f in item_schema(item)["fields"] if f["name"] == "payload")["type"]["fields"]
    mapping = MAPPINGS[item]
    assert {f.source for f in mapping.fields} | mapping.withheld == {f["name"] for f in payload}


@pytest.mark.parametrize("item", sorted(MAPPINGS))
def test_names_of_natural_persons_are_withheld(item: str) -> None:
    table = tomllib.loads((CATALOGUE / f"{item}.toml").read_text(encoding="utf-8"))
    named = {f["code"] for f in table["fields"] if f.get("sensitivity", "none") != "none"}
    assert MAPPINGS[item].withheld == named


@pytest.mark.parametrize("item", sorted(MAPPINGS))
def test_what_the_nation_demands_is_mapped(item: str) -> None:
    layout = layouts.load()[item]
    assert {name for names in layout for name in names} <= {f.national for f in MAPPINGS[item].fields}


VALUES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "text": ({"A": "甲"}, {"A": "甲"}),
    "empty and absent are left out": ({"A": "", "C": None}, {}),
    "code in lower case": ({"b": " 91420100ma4klm0n5h"}, {"B": "91420100MA4KLM0N5H"}),
    "date": ({"C": date(2017, 1, 9)}, {"C": "2017/01/09"}),
    "wan yuan as text": ({"D": "0.200000"}, {"D": "0.2"}),
    "whole wan yuan": ({"D": "10"}, {"D": "10"}),
    "fen": ({"D": 200_000}, {"D": "0.2"}),
    "one fen": ({"D": 1}, {"D": "0.000001"}),
    "no money": ({"D": 0}, {"D": "0"}),
    "unknown fields are not passed on": ({"E": "x"}, {}),
}


@pytest.mark.parametrize(("payload", "fields"), VALUES.values(), ids=VALUES)
def test_values(payload: dict[str, Any], fields: dict[str, str]) -> None:
    assert to_national(SMALL, payload) == fields


@pytest.mark.parametrize(
    "payload", [{"A": 1}, {"C": "2017-01-09"}, {"D": "-1"}, {"D": "1e3"}, {"D": "0.1234567"}, {"D": 1.5}], ids=str
)
def test_a_value_without_a_national_form_names_its_field_only(payload: dict[str, Any]) -> None:
    with pytest.raises(Unmappable) as raised:
        to_national(SMALL, payload)
    assert raised.value.args == (next(iter(payload)),)


def test_all_faults_of_a_mapping_are_told_at_once() -> None:
    with pytest.raises(MappingFault) as raised:
        mapping_from({"item": "i", "fields": [{"to": "A", "kind": "nonsense"}, {"to": "A"}]})
    assert len(str(raised.value).splitlines()) == 4
