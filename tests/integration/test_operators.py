"""Who may give commands: a unit's officer confirms for the own unit only, and nobody speaks in another's name."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli import commands
from services.cli.outsider import OPERATOR, Reader, Registry, producer
from tests.integration.test_catalogue import AGENCY, BASIS, NUMBER, item_file
from tests.support.road import Road

pytestmark = pytest.mark.stack

OTHER = "420000-hbt"
CONFIRM = ("--document", "函〔2017〕1号", "--json")


@pytest.fixture(scope="module")
def officer(road: Road) -> str:
    """Somebody who may confirm for one unit and do nothing else."""
    name = f"seal-{secrets.token_hex(3)}"
    added = ("operator", "add", name, "--command", "ingestion:confirm_item", "--speaks-for", AGENCY, "--json")
    (entry,) = json.loads(road.stack.credit(*added).stdout)
    assert (entry["principal"], entry["speaks_for"]) == (name, [AGENCY])
    return name


@pytest.fixture
def merged(road: Road, tmp_path: Path) -> tuple[str, str]:
    """A merged draft that two units must confirm: its code and its file."""
    code = f"water-{secrets.token_hex(4)}"
    file = str(item_file(tmp_path, code, basis=f'{BASIS}\nseals = ["{AGENCY}", "{OTHER}"]'))
    road.stack.credit("catalogue", "draft", file, "--unit", "420100-swj")
    road.stack.credit("catalogue", "merge", file, "--replaces", "420100-swj")
    return code, file


def faults(road: Road, *words: str) -> list[tuple[str, str]]:
    """Of a refused command."""
    done = road.stack.credit("catalogue", *words, check=False)
    assert done.returncode == 1, done.stdout
    return [(fault["code"], fault["field"]) for fault in json.loads(done.stdout)["faults"]]


def test_an_officer_confirms_for_the_own_unit_only(
    road: Road, officer: str, merged: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, file = merged
    with monkeypatch.context() as as_officer:
        as_officer.setenv(commands.AS, officer)
        said = faults(road, "confirm", code, "--unit", OTHER, *CONFIRM)
        assert said == [("MAY_NOT_SPEAK_FOR", "unit")]
        done = road.stack.credit("catalogue", "confirm", code, "--unit", AGENCY, *CONFIRM)
        assert json.loads(done.stdout)["missing"] == [OTHER]  # what was refused has changed nothing
        said = faults(road, "add", file, "--document-number", NUMBER, "--json")
        assert said == [("COMMAND_NOT_ALLOWED", "type")]
    assert faults(road, "add", file, "--document-number", NUMBER, "--json") == [("SEAL_MISSING", "definition")]
    road.stack.credit("catalogue", "confirm", code, "--unit", OTHER, *CONFIRM)
    road.stack.credit("catalogue", "add", file, "--document-number", NUMBER)
    told = json.loads(road.stack.credit("catalogue", "show", code, "--json").stdout)
    assert told["confirmed_by"] == [AGENCY, OTHER]


def test_who_writes_to_the_topic_cannot_name_another(road: Road, merged: tuple[str, str]) -> None:
    """As the operator's own Kafka principal, but without the key of whom the command names."""
    code, topic, answers = merged[0], "credit.ingestion.command.v1", "credit.ingestion.outcome.v1"
    arguments = json.dumps({"code": code, "version": 1, "unit": AGENCY, "document": "函〔2017〕2号"})
    registry, command_id = Registry(road.layout), secrets.token_hex(8)
    record = {"command_id": command_id, "type": "confirm_item", "issued_by": OPERATOR, "arguments": arguments}
    value = registry.serializer("credit.command.v1-value")(record | {"issued_at": 1_506_600_000_000}, topic)
    with Reader(road.layout) as reader:
        since = reader.ends([answers])
        sender = producer(road.layout, OPERATOR)
        sender.produce(topic, value, code, headers={"correlation_id": command_id})
        sender.flush(30)
        told = (registry.decode(message.value() or b"") for message in reader.follow([answers], since, 30))
        (outcome,) = _first(told, command_id)
    assert (outcome["outcome"], [fault["code"] for fault in outcome["faults"]]) == ("REFUSED", ["COMMAND_UNSIGNED"])
    done = road.stack.credit("catalogue", "confirm", code, "--unit", OTHER, *CONFIRM)
    assert json.loads(done.stdout)["missing"] == [AGENCY]


def _first(told: Iterator[dict[str, Any]], command_id: str) -> Iterator[dict[str, Any]]:
    for outcome in told:
        if outcome["command_id"] == command_id:
            yield outcome
            return


def test_who_is_ended_may_do_nothing_more_and_a_replay_decides_all_of_it_again(
    road: Road, officer: str, merged: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    road.stack.credit("operator", "end", officer)
    with monkeypatch.context() as as_officer:
        as_officer.setenv(commands.AS, officer)
        assert faults(road, "confirm", merged[0], "--unit", AGENCY, *CONFIRM) == [("ISSUER_UNKNOWN", "issued_by")]
    listed = json.loads(road.stack.credit("operator", "list", "--json").stdout)
    assert [("until" in entry) for entry in listed if entry["principal"] == officer] == [True]
    assert json.loads(road.stack.credit("replay", "ingestion", "--json").stdout)["equal"] is True
