"""Laws of a catalogue item's life, for every history of commands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingestion.contracts.reference import ITEM_COMMANDS
from services.ingestion.domain import catalogue_item, item_deciding, life
from services.ingestion.domain.catalogue_item import CatalogueItem
from services.ingestion.domain.definition import parse
from services.ingestion.domain.events import CommandRefused, CommandRepeated, ItemPublished
from services.ingestion.domain.wishes import Asker, Wish
from tests.unit.ingestion import samples

A = {"code": "a", "name_zh": "甲", "name_en": "one", "type": "string", "max_length": 9, "required": "mandatory"}
B = {**A, "code": "b", "required": "optional"}
TAGGED: dict[str, list[Mapping[str, Any]]] = {
    "one": [{**A, "sensitivity": "none"}],
    "two": [{**A, "sensitivity": "none"}, {**B, "sensitivity": "none"}],
    "hidden": [{**A, "sensitivity": "person_name"}],
    "loosened": [{**A, "required": "optional", "sensitivity": "none"}],
    "forbidden": [{**B, "name_zh": "血型", "sensitivity": "none"}],
}
UNITS = ("420000-gsj", "420100-gsj", "420000-hbt")
BASE = json.loads(json.dumps(dict(samples.SHIPPED["code-mapping"].definition))) | {"code": "x", "national": ""}
DEFINITIONS = st.builds(
    lambda version, fields, seals: BASE | {"version": version, "fields": TAGGED[fields], "seals": seals},
    st.integers(1, 3),
    st.sampled_from(["one", "two", "two", *sorted(TAGGED)]),
    st.sampled_from([["420000-gsj", "420100-gsj"], []]),
)
UNIT, NUMBER = st.sampled_from(UNITS), st.sampled_from(["文〔2017〕1号"] * 4 + [""])
ARGUMENTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "draft_item": st.fixed_dictionaries({"definition": DEFINITIONS, "unit": UNIT}),
    "merge_drafts": st.fixed_dictionaries({"definition": DEFINITIONS, "replaces": st.lists(UNIT, max_size=2)}),
    "confirm_item": st.fixed_dictionaries(
        {"code": st.just("x"), "version": st.integers(1, 3), "unit": UNIT, "document": NUMBER}
    ),
    "publish_item": st.fixed_dictionaries(
        {"definition": DEFINITIONS, "schema_id": st.integers(1, 2), "document_number": NUMBER}
    ),
    "retire_item": st.fixed_dictionaries({"code": st.just("x"), "reason": NUMBER, "document_number": NUMBER}),
    "register_consumer": st.fixed_dictionaries(
        {
            "code": st.just("x"),
            "consumer": st.sampled_from(["r", "s"]),
            "fields": st.sampled_from([["a"], ["a"], ["a", "b"], ["c"], []]),
        }
    ),
}


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    kind = draw(
        st.sampled_from(
            ["publish_item", "publish_item", "confirm_item", "draft_item", "register_consumer", *sorted(ITEM_COMMANDS)]
        )
    )
    asker = Asker(draw(st.sampled_from([f"c{i}" for i in range(40)])), "operator", draw(st.integers(1, 9)))
    return ITEM_COMMANDS[kind](asker, draw(ARGUMENTS[kind]))


def holds(state: CatalogueItem) -> None:
    """What is true of an item whatever was asked of it."""
    versions = [edition.version for edition in state.editions]
    assert versions == sorted(set(versions)) == [p.version for p in sorted(state.life.publications)]
    assert life.from_text(life.to_text(state.life)) == state.life
    assert len(state.life.commands) <= life.REMEMBERED
    for publication in state.life.publications:
        assert publication.document_number
        assert len({seal.unit for seal in publication.seals}) == len(publication.seals)
    if state.editions:
        item, _ = parse(json.loads(state.editions[-1].definition))
        assert item is not None
        fields = {field.code: field for field in item.fields}
        assert all(code in fields for consumer in state.life.consumers for code in consumer.fields)


@given(st.lists(wishes(), max_size=25))
def test_editions_never_change_and_every_command_is_answered_once(history: Sequence[Wish]) -> None:
    state, said = catalogue_item.NOTHING, []
    for wish in history:
        before = {e.version: e.definition for e in state.editions}
        events = item_deciding.decide(state, wish)
        after = state
        for event in events:
            after = catalogue_item.evolve(after, event)
        (again,) = item_deciding.decide(after, wish)
        assert isinstance(again, CommandRefused if isinstance(events[-1], CommandRefused) else CommandRepeated)
        assert catalogue_item.evolve(after, again) == after
        assert before.items() <= {e.version: e.definition for e in after.editions}.items()
        assert len(events) == 1 or catalogue_item.told(after) == events[0] != catalogue_item.told(state)
        if isinstance(events[-1], ItemPublished) and events[-1].version not in before:
            assert state.life.retired is None
            sealed(state, events[-1])
        state, said = after, [*said, *events]
        holds(state)
    replayed = catalogue_item.NOTHING
    for event in said:
        replayed = catalogue_item.evolve(replayed, event)
    assert replayed == state


def sealed(state: CatalogueItem, event: ItemPublished) -> None:
    """Where a draft was merged, nothing but that is published, and not before the named units have confirmed it."""
    candidate = state.life.candidate
    if candidate is None or candidate.version != event.version:
        return
    assert event.definition == candidate.definition
    named = json.loads(candidate.definition)["seals"]
    confirmed = {seal.unit for seal in event.publication.seals}
    assert confirmed >= set(named)
    assert confirmed
