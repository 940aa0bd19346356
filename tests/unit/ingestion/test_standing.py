"""The full form of a definition: what it must say, how an older one is read, how a value is masked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from services.ingestion.domain.definition import parse
from services.ingestion.domain.standing import UNSAID, DisplayRule
from services.ingestion.domain.wishes import canonical
from tests.unit.ingestion.samples import ITEMS, SHIPPED, old_form


def full(**changes: Any) -> dict[str, Any]:
    return json.loads(canonical(SHIPPED["org-inspection"].definition)) | changes


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in full().items() if key != name}


@pytest.mark.parametrize(
    "name",
    ["name_en", "category", "responsible", "sharing", "sharing_scope", "frequency", "retention", "display",
     "envelope_columns"],
)  # fmt: skip
def test_the_full_form_says_everything(name: str) -> None:
    item, faults = parse(without(name))
    assert item is None
    assert {fault.field.split(".")[0] for fault in faults} == {name}


def test_the_full_form_tags_every_field() -> None:
    fields = full()["fields"]
    del fields[3]["sensitivity"]
    _, faults = parse(full(fields=fields))
    assert [fault.field for fault in faults] == ["fields[3].sensitivity"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"in_force_from": "soon"}, "in_force_from"),
        ({"in_force_from": 20170501}, "in_force_from"),
        ({"until": "2017-04-30"}, "until"),
        ({"category": "weather"}, "category"),
        ({"intake": "ajar"}, "intake"),
        ({"responsible": {"province": []}}, "responsible.province"),
        ({"responsible": {"province": ["everybody"]}}, "responsible.province"),
        ({"retention": "for ever"}, "retention"),
        ({"retention": "P0Y"}, "retention"),
        ({"display": {"period": "P3Y", "clock": "nowhere"}}, "display.clock"),
        ({"display": {"clock": "rq"}}, "display.period"),
        ({"sharing": "sometimes"}, "sharing"),
        ({"frequency": "now and then"}, "frequency"),
        ({"national": {"dataset": "x", "fields": {"nowhere": "某"}}}, "national.fields"),
        ({"national": {"fields": {}}}, "national.dataset"),
        ({"envelope_columns": {"subject_name": "甲"}}, "envelope_columns.subject_code"),
        ({"seals": "all"}, "seals"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], where: str) -> None:
    item, faults = parse(full(**changes))
    assert item is None
    assert where in {fault.field for fault in faults}


@pytest.mark.parametrize("junk", [{"responsible": 3}, {"display": [1]}, {"national": 7}, {"envelope_columns": "x"}])
def test_junk_in_the_new_places_is_a_fault_and_no_exception(junk: dict[str, Any]) -> None:
    assert parse(full(**junk))[1]


@pytest.mark.parametrize("code", sorted(ITEMS))
def test_a_definition_from_before_the_full_form_is_read_with_defaults(code: str) -> None:
    keep = ("code", "name_zh", "version", "class", "disclosure", "subject_kinds", "agencies", "legal_basis", "deadline")
    plain = [{k: v for k, v in f.items() if k not in ("sensitivity", "mask")} for f in old_form(code)["fields"]]
    item, faults = parse({name: old_form(code)[name] for name in keep} | {"fields": plain})
    assert faults == ()
    assert item is not None
    assert item.standing == UNSAID
    assert {field.sensitivity for field in item.fields} == {"none"}


def test_the_eight_first_editions_are_read_as_they_were_published() -> None:
    """As `avro/credit.ingestion.catalogue.v1/examples/1` holds one of them to the letter."""
    from tests.contract import examples

    for golden in examples.of("credit.ingestion.catalogue.v1"):
        item, faults = parse(json.loads(golden.record["definition"]))
        assert faults == ()
        assert item is not None
        assert item.standing.in_force_from is None


def test_a_shipped_item_as_values() -> None:
    standing = SHIPPED["org-inspection"].item.standing
    assert standing.responsible == (("420000-*",), ("42??00-*",), ("42????-*",))
    assert standing.display == DisplayRule("P1Y", "rq")
    assert (standing.in_force(17286), standing.in_force(17287)) == (False, True)  # 2017-05-01
    ended = replace(standing, until=17290)
    assert (ended.in_force(17290), ended.in_force(17291)) == (True, False)
