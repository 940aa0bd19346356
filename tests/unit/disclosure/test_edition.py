"""Which fields an edition of a catalogue item lets us show, and which edition a record is shown by."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from services.disclosure.domain import edition
from services.disclosure.domain.edition import CatalogueItem, DefinitionFault, Edition, edition_of, text_of, usable
from services.disclosure.domain.events import EditionKnown, FieldRule
from services.ingestion.config import load_catalogue
from services.ingestion.domain.wishes import canonical

FIELDS: list[dict[str, Any]] = [
    {"code": "name", "same_as": "subject_name"},
    {"code": "number", "same_as": "subject_code", "sensitivity": "none"},
    {"code": "decided", "same_as": "decided_on"},
    {"code": "content"},
    {"code": "person", "sensitivity": "person_name"},
    {"code": "newer", "sensitivity": "a kind we do not know"},
    {"code": "unclear", "sensitivity": None},
]
PAYLOAD = {field["code"]: "x" for field in FIELDS} | {"not in the edition": "x"}


def published(fields: list[dict[str, Any]], version: int = 1) -> Edition:
    return edition_of("i", version, json.dumps({"fields": fields}), 0).edition


def test_only_fields_that_are_said_to_be_plain_are_shown() -> None:
    """A sensitivity that is not understood hides the field as one that is; so does an edition that omits it."""
    assert published(FIELDS).show(PAYLOAD, person=False).keys() == {"name", "number", "decided", "content"}


def test_of_a_person_nothing_says_who_it_is() -> None:
    assert published(FIELDS).show(PAYLOAD, person=True).keys() == {"decided", "content"}


@pytest.mark.parametrize("shipped", load_catalogue(), ids=lambda s: s.item.code)
def test_no_shipped_edition_shows_a_sensitive_field(shipped: Any) -> None:
    found = edition_of(shipped.item.code, 1, canonical(shipped.definition), 0).edition
    payload = {field.code: "x" for field in shipped.item.fields}
    sensitive = {field.code for field in shipped.item.fields if field.sensitivity != "none"}
    assert found.show(payload, person=False).keys() == payload.keys() - sensitive


@pytest.mark.parametrize(
    ("value", "text"),
    [("甲", "甲"), (date(2017, 9, 28), "2017-09-28"), (20_000, "20000"), (True, "true"), (False, "false"), ("", "")],
)
def test_values_as_subscribers_read_them(value: object, text: str) -> None:
    assert text_of(value) == text
    assert published([{"code": "a"}]).show({"a": value}, person=False) == {"a": text}


def test_nulls_and_absent_fields_are_left_out() -> None:
    assert published([{"code": "a"}, {"code": "b"}]).show({"a": None}, person=False) == {}


@pytest.mark.parametrize(
    "definition", ["", "{", "[]", "{}", "null", '{"fields": 1}', '{"fields": [1]}', '{"fields": [{"name_zh": "x"}]}']
)
def test_a_definition_that_says_too_little_is_a_fault(definition: str) -> None:
    with pytest.raises(DefinitionFault):
        edition_of("i", 1, definition, 0)


ONE, THREE = Edition(1, (FieldRule("a", False), FieldRule("b", False))), Edition(3, (FieldRule("a", False),))


@pytest.mark.parametrize(
    ("known", "version", "found"),
    [
        ([ONE, THREE], 1, ONE),
        ([THREE, ONE], 3, THREE),
        ([ONE, THREE], 2, THREE),  # compacted away: the next one may hide more, never show more
        ([THREE], 1, THREE),
        ([ONE, THREE], 4, None),  # still on its way
        ([ONE], 2, None),
        ([], 1, None),
    ],
)
def test_the_usable_edition(known: list[Edition], version: int, found: Edition | None) -> None:
    assert usable(known, version) == found


def test_the_same_edition_again_states_nothing_new() -> None:
    given = edition_of("i", 1, json.dumps({"fields": FIELDS}), 7)
    (event,) = edition.decide(CatalogueItem(), given)
    assert event == EditionKnown(1, given.edition.rules, 7)
    state = edition.evolve(CatalogueItem(), event)
    assert state.editions == {1: given.edition}
    assert edition.decide(state, given) == ()


def test_editions_are_kept_side_by_side() -> None:
    state = CatalogueItem()
    for version in (2, 1):
        for event in edition.decide(state, edition_of("i", version, json.dumps({"fields": FIELDS[:version]}), 0)):
            state = edition.evolve(state, event)
    assert {version: len(found.rules) for version, found in state.editions.items()} == {2: 2, 1: 1}
