"""The editions under avro/: none missing, none edited, every pair compatible in both directions."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import fastavro
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from tests.contract.examples import AVRO, records

FAMILIES = sorted(p for p in AVRO.iterdir() if p.is_dir() and p.name != "items")
ITEMS = sorted(p for p in (AVRO / "items").iterdir() if p.is_dir())


def editions(family: Path) -> list[Path]:
    return sorted(family.glob("*.avsc"), key=lambda p: int(p.stem))


def breaks(one: str, other: str) -> bool:
    """FULL: each side must be able to read what the other has written."""
    check = ReaderWriterCompatibilityChecker().get_compatibility
    pairs = ((parse(one), parse(other)), (parse(other), parse(one)))
    return any(check(r, w).compatibility is not SchemaCompatibilityType.compatible for r, w in pairs)


@pytest.mark.parametrize("family", FAMILIES + ITEMS, ids=lambda p: p.name)
def test_editions_are_numbered_without_gaps(family: Path) -> None:
    assert [p.stem for p in editions(family)] == [str(n) for n in range(1, len(editions(family)) + 1)]


@pytest.mark.parametrize("family", FAMILIES + ITEMS, ids=lambda p: p.name)
def test_every_pair_of_editions_is_compatible_both_ways(family: Path) -> None:
    for one, other in combinations(editions(family), 2):
        assert not breaks(one.read_text(), other.read_text()), f"{one} and {other}"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda p: p.name)
def test_a_planted_break_is_found(family: Path) -> None:
    """A mandatory field without a default cannot be read from what was written before."""
    schema: dict[str, Any] = json.loads(editions(family)[-1].read_text())
    broken = schema | {"fields": [*schema["fields"], {"name": "planted", "type": "string"}]}
    assert breaks(json.dumps(schema), json.dumps(broken))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda p: p.name)
def test_every_edition_has_golden_examples_that_it_can_write_and_read(family: Path) -> None:
    for edition in editions(family):
        schema = fastavro.parse_schema(json.loads(edition.read_text()))
        examples = sorted((family / "examples" / edition.stem).glob("*.json"))
        assert len(examples) >= 2, f"{edition} needs at least two examples"
        for example in examples:
            (record,) = records(edition.read_text(), example)
            assert fastavro.validate(record, schema), example


@pytest.mark.parametrize("family", FAMILIES, ids=lambda p: p.name)
def test_every_field_says_what_it_is(family: Path) -> None:
    for edition in editions(family):
        silent = [f["name"] for f in json.loads(edition.read_text())["fields"] if not f.get("doc")]
        assert not silent, f"{edition}: fields without doc: {silent}"


def test_a_published_edition_is_never_edited() -> None:
    """`avro/editions.lock` has a line for each (sha256sum avro/*/*.avsc avro/items/*/*.avsc); lines are only added."""
    lines = (AVRO / "editions.lock").read_text().splitlines()
    assert lines == sorted(lines, key=lambda line: line.split()[1])
    locked = {name: digest for digest, name in (line.split() for line in lines)}
    found = {
        str(p.relative_to(AVRO.parent)): hashlib.sha256(p.read_bytes()).hexdigest()
        for family in FAMILIES + ITEMS
        for p in editions(family)
    }
    assert locked == found
