"""A reader by place takes what any edition wrote, newer or older than the one its code knows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, cast

import fastavro
import pytest

from services.chassis.editions import own_body
from services.chassis.errors import Unhandleable
from services.chassis.wire import frame
from tests.support.local_schemas import LocalSchemas

NAME, OTHERS = "credit.demo.v1", 2
KNOWN = [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}]
LATER = {"name": "later", "type": ["null", "string"], "default": None}


def schema(fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "name": "Demo", "fields": fields}


def written(fields: list[dict[str, Any]], record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    cast(Any, fastavro).schemaless_writer(out, fastavro.parse_schema(schema(fields)), record)
    return out.getvalue()


def schemas(folder: Path, ours: list[dict[str, Any]], others: list[dict[str, Any]]) -> LocalSchemas:
    """Our newest edition is this one; another edition has written what comes."""
    (folder / NAME).mkdir()
    (folder / NAME / "1.avsc").write_text(json.dumps(schema(ours)))
    opened = LocalSchemas(folder)
    opened.know(OTHERS, fastavro.parse_schema(schema(others)))
    return opened


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_field_that_an_older_edition_lacks_has_its_default(tmp_path: Path, at: int) -> None:
    ours = [*KNOWN[:at], LATER, *KNOWN[at:]]
    value = frame(OTHERS, written(KNOWN, {"a": 7, "b": "x"}))
    found = own_body(schemas(tmp_path, ours, KNOWN), NAME, [str(field["name"]) for field in ours], value)
    assert found == written(ours, {"a": 7, "b": "x", "later": None})


def test_a_field_that_an_older_edition_lacks_and_that_has_no_default_is_named(tmp_path: Path) -> None:
    value = frame(OTHERS, written(KNOWN[:1], {"a": 7}))
    with pytest.raises(Unhandleable) as refused:
        own_body(schemas(tmp_path, KNOWN, KNOWN[:1]), NAME, ["a", "b"], value)
    assert (refused.value.code, refused.value.detail) == ("FIELD_MISSING", "b")


def test_a_field_of_a_newer_edition_is_passed_over(tmp_path: Path) -> None:
    value = frame(OTHERS, written([LATER, *KNOWN], {"later": "y", "a": 7, "b": "x"}))
    found = own_body(schemas(tmp_path, KNOWN, [LATER, *KNOWN]), NAME, ["a", "b"], value)
    assert found == written(KNOWN, {"a": 7, "b": "x"})
