"""Item files and their blocks: what is published is whole, and a wrong use of a block is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.chassis.settings import SettingsFault
from services.ingestion.config import CATALOGUE, load_blocks, load_item
from services.ingestion.domain.blocks import expand

BLOCKS: dict[str, Any] = {
    "top": {"version": 1, "class": "basic", "display": {"period": "P1Y"}},
    "later": {"class": "negative"},
    "two": {"fields": [{"code": "a", "name_zh": "甲"}, {"code": "b", "name_zh": "乙"}]},
}


def test_included_entries_are_replaced_by_later_blocks_and_by_the_files_own() -> None:
    whole, faults = expand({"include": ["top", "later"], "version": 3}, BLOCKS)
    assert (whole, faults) == ({"version": 3, "class": "negative", "display": {"period": "P1Y"}}, ())


def test_a_block_of_fields_stands_for_them_in_its_place() -> None:
    own = {"code": "c"}
    use = {"block": "two", "without": ["a"], "change": {"b": {"name_zh": "丙"}}}
    whole, faults = expand({"fields": [own, use, own]}, BLOCKS)
    assert (whole["fields"], faults) == ([own, {"code": "b", "name_zh": "丙"}, own], ())


def test_expanding_changes_no_block() -> None:
    expand({"fields": [{"block": "two", "change": {"b": {"name_zh": "丙"}}}]}, BLOCKS)
    assert BLOCKS["two"]["fields"][1] == {"code": "b", "name_zh": "乙"}


def test_agencies_are_those_of_all_levels_each_once() -> None:
    levels = {"province": ["420000-a"], "city": ["42??00-b"], "county": ["42????-b", "420000-a"]}
    assert expand({"responsible": levels}, {})[0]["agencies"] == ["420000-a", "42??00-b", "42????-b"]


def test_a_definition_says_things_in_one_order_however_its_file_does() -> None:
    forth, back = {"code": "x", "fields": [], "version": 1}, {"version": 1, "fields": [], "code": "x"}
    assert list(expand(forth, {})[0]) == list(expand(back, {})[0]) == ["code", "version", "fields"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"include": ["nowhere"]}, "nowhere"),
        ({"include": [1]}, "block 1"),
        ({"fields": [{"block": "nowhere"}]}, "nowhere"),
        ({"fields": [{"block": "two", "without": ["z"]}]}, "no field z"),
        ({"fields": [{"block": "two", "change": {"z": {}}}]}, "no field z"),
    ],
)
def test_a_wrong_use_of_a_block_is_named(file: dict[str, Any], said: str) -> None:
    (fault,) = expand(file, BLOCKS)[1]
    assert fault.code == "DEFINITION_FAULT"
    assert said in fault.message_en


@pytest.mark.parametrize("text", ["fields = 3", "code = ", "include = ['nowhere']\ncode = 'x'", "\xff"])
def test_a_file_that_is_no_item_is_a_fault_of_that_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(SettingsFault, match=r"odd\.toml"):
        load_item(file, load_blocks())


def test_every_shipped_block_is_used() -> None:
    texts = [file.read_text(encoding="utf-8") for file in CATALOGUE.glob("*.toml")]
    unused = [name for name in load_blocks() if not any(f'"{name}"' in text for text in texts)]
    assert unused == []
