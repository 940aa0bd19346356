"""What a new agency is given: a right record of every item, and senders that are complete programs."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import Layout
from services.cli import samples
from services.cli.catalogue import Item
from services.cli.sample_record import sample
from tests.unit.ingestion import samples as ingestion

ITEMS = {code: Item(code, shipped.item.version, shipped.definition) for code, shipped in ingestion.SHIPPED.items()}
LAYOUT = Layout(Path("/nowhere"), 20_000, Path("/nowhere"))


@pytest.mark.parametrize("code", sorted(ingestion.OPEN))
def test_the_sample_record_of_every_item_that_takes_reports_is_accepted_as_the_sender_sends_it(code: str) -> None:
    """Through JSON, with dates as texts: what the file holds is what the stock serializer gets."""
    record = json.loads(json.dumps(sample(ITEMS[code].definition, ingestion.AGENCIES[code])))
    record |= {"submission_id": "s-1", "produced_at": ingestion.NOW.now_ms}
    assert ingestion.read(record).faults == ()
    assert record["subject_name"].startswith("演示")


def test_two_agencies_send_about_different_subjects() -> None:
    first, second = (sample(ITEMS["org-permit"].definition, code) for code in ("420000-hbt", "420000-jtt"))
    assert first["subject_code"] != second["subject_code"]
    assert first["record_no"] != second["record_no"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = [ITEMS["org-permit"], ITEMS["org-penalty"]]
    samples.write(LAYOUT, "420000-hbt", "/somewhere/420000-hbt.password", found, tmp_path / "new" / "420000-hbt")
    return tmp_path / "new" / "420000-hbt"


def test_everything_is_in_one_folder_and_no_secret(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {
        "send.py", "Send.java", "pom.xml", "agency.properties", "org-permit.json", "org-penalty.json",
    }  # fmt: skip
    text = (folder / "agency.properties").read_text(encoding="utf-8")
    assert "password.file=/somewhere/420000-hbt.password" in text
    assert "sasl.password" not in text and "jaas" not in text


def test_the_python_sender_reads_the_settings_that_are_written(folder: Path) -> None:
    sender: dict[str, Any] = runpy.run_path(str(folder / "send.py"))
    settings = sender["properties"](folder / "agency.properties")
    assert settings["agency"] == "420000-hbt"
    assert settings["bootstrap.servers"] == LAYOUT.address("kafka")
    assert (folder / settings["record"]).exists()
