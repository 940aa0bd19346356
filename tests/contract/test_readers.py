"""The registered readers of items are those there are: what services read by name, in the fields they read."""

from __future__ import annotations

from services.ingestion.config import load_readers
from services.national_sync.config import load_mappings
from tests.unit.ingestion.samples import ITEMS

READERS = load_readers()


def test_what_the_national_mappings_read_is_registered() -> None:
    read = {item: sorted(field.source for field in mapping.fields) for item, mapping in load_mappings().items()}
    assert {item: fields["national_sync"] for item, fields in READERS.items() if "national_sync" in fields} == read


def test_what_identity_reads_of_a_mapping_is_registered() -> None:
    """services/identity/contracts: it links old codes by these three."""
    assert READERS["code-mapping"]["identity"] == ["old_code", "old_kind", "uscc"]


def test_readers_read_what_the_shipped_editions_have() -> None:
    for item, readers in READERS.items():
        known = {field.code for field in ITEMS[item].fields}
        for reader, fields in readers.items():
            assert set(fields) <= known, (item, reader)
