"""Agencies are registered and items published by command; a repeat is answered as it was."""

from __future__ import annotations

import json
from typing import Any

from services.chassis.message import Message
from services.ingestion.contracts.reference import CommandReader, ReferenceSpeaker
from services.ingestion.handlers.reference import Agencies, Items
from tests.support import driver
from tests.support.local_schemas import LocalSchemas
from tests.unit.ingestion import samples

CODEC = LocalSchemas()
READER, SPEAKER = CommandReader(CODEC), ReferenceSpeaker(CODEC)
AGENCY = {"code": "420000-gsj", "name_zh": "演示工商局", "items": ["enterprise-registration"]}


def command(command_id: str, kind: str, arguments: dict[str, Any]) -> Message:
    record = {
        "command_id": command_id,
        "type": kind,
        "issued_by": "platform-admin",
        "issued_at": samples.NOW.now_ms,
        "arguments": json.dumps(arguments),
    }
    return Message("credit.ingestion.command.v1", 0, 1, b"k", CODEC.encode("credit.command.v1", record), (), 0)


def told(aggregate: Any, read: Any, *messages: Message) -> list[list[tuple[str, dict[str, Any]]]]:
    """Topic and record of everything each command led to."""
    given = [read(message, samples.NOW) for message in messages]
    return [
        [(m.topic, CODEC.decode(m.value)[1]) for event in events for m in aggregate.announce(event, g)]
        for g, events in zip(given, driver.run(aggregate, given), strict=True)
    ]


def register(*messages: Message) -> list[list[tuple[str, dict[str, Any]]]]:
    return told(Agencies(SPEAKER), READER.register_agency, *messages)


def publish(*messages: Message) -> list[list[tuple[str, dict[str, Any]]]]:
    return told(Items(SPEAKER), READER.about_item, *messages)


def definition(**changes: Any) -> dict[str, Any]:
    return samples.old_form("code-mapping") | changes


def test_an_agency_is_registered_once_and_the_repeat_is_done_too() -> None:
    first, second = register(command("c1", "register_agency", AGENCY), command("c1", "register_agency", AGENCY))
    assert [topic for topic, _ in first] == ["credit.ingestion.agency.v1", "credit.ingestion.outcome.v1"]
    assert first[0][1]["region"] == "420000"
    assert [(topic, r["outcome"]) for topic, r in second] == [("credit.ingestion.outcome.v1", "DONE")]


def test_a_wrong_registration_names_every_fault() -> None:
    wrong = {"code": "gsj", "name_zh": " ", "items": "all"}
    ((answer,),) = register(command("c1", "register_agency", wrong))
    assert answer[1]["outcome"] == "REFUSED"
    assert [f["field"] for f in answer[1]["faults"]] == ["code", "name_zh", "items"]


def test_a_region_outside_hubei_is_refused() -> None:
    ((answer,),) = register(command("c1", "register_agency", AGENCY | {"code": "110000-gsj"}))
    assert [f["code"] for f in answer[1]["faults"]] == ["REGION_UNKNOWN"]


def test_an_item_is_published_with_its_whole_definition() -> None:
    ((event, answer),) = publish(command("c1", "publish_item", {"definition": definition(), "schema_id": 5}))
    assert event[0] == "credit.ingestion.catalogue.v1"
    assert json.loads(event[1]["definition"]) == definition()
    assert (event[1]["code"], event[1]["version"], event[1]["schema_id"]) == ("code-mapping", 1, 5)
    assert answer[1]["outcome"] == "DONE"


def test_a_published_edition_never_changes_and_versions_rise() -> None:
    sent = [
        {"definition": definition(), "schema_id": 5},
        {"definition": definition(), "schema_id": 5},
        {"definition": definition(name_zh="改名"), "schema_id": 5},
        {"definition": definition(name_zh="改名", version=2), "schema_id": 6},
        {"definition": definition(), "schema_id": 5},
    ]
    answers = publish(*(command(f"c{i}", "publish_item", a) for i, a in enumerate(sent)))
    assert [a[-1][1]["outcome"] for a in answers] == ["DONE", "DONE", "REFUSED", "DONE", "DONE"]
    assert [len(a) for a in answers] == [2, 1, 1, 2, 1]


def test_an_item_without_a_legal_basis_is_refused() -> None:
    ((answer,),) = publish(command("c1", "publish_item", {"definition": definition(legal_basis=[]), "schema_id": 5}))
    assert "LEGAL_BASIS_MISSING" in {f["code"] for f in answer[1]["faults"]}


def test_a_sensitive_field_never_becomes_visible_by_a_new_edition() -> None:
    """Whoever has lost the old edition shows its records by the next one."""
    fields = definition()["fields"]
    hidden = [field | {"sensitivity": "person_name"} if field["code"] == "old_code" else field for field in fields]
    sent = [
        {"definition": definition(fields=hidden), "schema_id": 5},
        {"definition": definition(version=2), "schema_id": 6},
        {"definition": definition(version=2, fields=hidden, name_zh="改名"), "schema_id": 6},
    ]
    first, loosened, kept = publish(*(command(f"c{i}", "publish_item", a) for i, a in enumerate(sent)))
    assert (first[-1][1]["outcome"], kept[-1][1]["outcome"]) == ("DONE", "DONE")
    assert [(f["code"], f["field"]) for f in loosened[-1][1]["faults"]] == [("SENSITIVITY_LOOSENED", "old_code")]
