"""The files under avro/items/ are what the shipped catalogue generates."""

from __future__ import annotations

from pathlib import Path

import fastavro
import pytest

from services.ingestion.config import load_catalogue
from services.ingestion.domain.item_schema import ENVELOPE, schema_of, schema_text

FOLDER = Path(__file__).parents[3] / "avro" / "items"
CATALOGUE = load_catalogue()
FIXED = [
    "submission_id", "item", "agency", "source_unit", "action", "record_no", "subject_kind", "subject_code_kind",
    "subject_code", "subject_name", "decided_on", "produced_at",
]  # fmt: skip


@pytest.mark.parametrize("shipped", CATALOGUE, ids=lambda s: s.item.code)
def test_file_equals_what_the_catalogue_generates(shipped) -> None:
    file = FOLDER / shipped.item.code / f"{shipped.item.version}.avsc"
    assert file.read_text(encoding="utf-8") == schema_text(shipped.item)


@pytest.mark.parametrize("shipped", CATALOGUE, ids=lambda s: s.item.code)
def test_envelope_is_flat_first_and_in_the_fixed_order(shipped) -> None:
    schema = schema_of(shipped.item)
    assert [field["name"] for field in schema["fields"]] == [*FIXED, "payload"]
    assert [name for name, _, _ in ENVELOPE] == FIXED
    assert fastavro.parse_schema(schema)["name"] == (
        f"cn.hubei.credit.item.{shipped.item.code.replace('-', '_')}.Submission"
    )


def test_no_file_without_an_item() -> None:
    assert {p.name for p in FOLDER.iterdir()} == {shipped.item.code for shipped in CATALOGUE}
