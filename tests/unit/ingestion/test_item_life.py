"""An item's life by commands: drafted, merged, confirmed, published, amended, retired; and its readers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.ingestion.contracts.reference import CommandReader, ReferenceSpeaker
from services.ingestion.handlers.reference import Items
from tests.support import driver
from tests.support.local_schemas import LocalSchemas
from tests.unit.ingestion import samples
from tests.unit.ingestion.test_commands import command

CODEC = LocalSchemas()
READER, ITEMS = CommandReader(CODEC), Items(ReferenceSpeaker(CODEC))
PROVINCE, CITY = "420000-gsj", "420100-gsj"
NUMBER = "鄂信用文〔2017〕9号"


def definition(**changes: Any) -> dict[str, Any]:
    whole = json.loads(json.dumps(dict(samples.SHIPPED["code-mapping"].definition)))
    return whole | {"version": 1, "seals": [PROVINCE, CITY]} | changes


def fields(**changes: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The item's fields; of some other entries, or without them."""
    plain = {field["code"]: field for field in definition()["fields"]}
    changed = {code: None if change is None else plain.get(code, {}) | change for code, change in changes.items()}
    return [field for field in (plain | changed).values() if field is not None]


class Life:
    """One item, asked one thing after the other."""

    def __init__(self) -> None:
        self.states: dict[Any, Any] = {}
        self.count = 0
        self.told: list[dict[str, Any]] = []

    def ask(self, kind: str, **arguments: Any) -> list[tuple[str, str]]:
        """What was refused, as code and field; nothing for what was done."""
        self.count += 1
        given = READER.about_item(command(f"c{self.count}", kind, arguments), samples.NOW)
        (events,) = driver.run(ITEMS, [given], self.states)
        answer: dict[str, Any] = {}
        for message in (m for event in events for m in ITEMS.announce(event, given)):
            record = CODEC.decode(message.value)[1]
            if message.topic == "credit.ingestion.catalogue.v1":
                self.told.append(record)
            else:
                answer = record
        assert answer["outcome"] == ("REFUSED" if answer["faults"] else "DONE")
        self.detail = json.loads(answer["detail"]) if answer["detail"] else None
        self.reasons = [fault["message_en"] for fault in answer["faults"]]
        return [(fault["code"], fault["field"]) for fault in answer["faults"]]

    def publish(self, document_number: str = NUMBER, **changes: Any) -> list[tuple[str, str]]:
        return self.ask("publish_item", definition=definition(**changes), schema_id=5, document_number=document_number)


@pytest.fixture
def life() -> Life:
    return Life()


@pytest.fixture
def merged(life: Life) -> Life:
    """Drafted at two levels and merged."""
    assert life.ask("draft_item", definition=definition(name_zh="省级稿"), unit=PROVINCE) == []
    assert life.ask("draft_item", definition=definition(name_zh="市级稿"), unit=CITY) == []
    assert life.ask("merge_drafts", definition=definition(), replaces=[PROVINCE, CITY]) == []
    return life


def confirm(life: Life, unit: str) -> list[tuple[str, str]]:
    return life.ask("confirm_item", code="code-mapping", version=1, unit=unit, document="函〔2017〕1号")


def test_from_drafts_to_a_publication_that_names_who_confirmed_it(merged: Life) -> None:
    assert confirm(merged, PROVINCE) == []
    assert merged.detail == {"missing": [CITY]}
    assert merged.publish() == [("SEAL_MISSING", "definition")]
    assert CITY in merged.reasons[0]
    assert confirm(merged, CITY) == []
    assert merged.detail == {"missing": []}
    assert merged.told == []
    assert merged.publish() == []
    (told,) = merged.told
    assert (told["document_number"], told["published_by"]) == (NUMBER, "platform-admin")
    assert (told["confirmed_by"], told["retired_at"]) == ([PROVINCE, CITY], None)
    publication = merged.states["code-mapping"].life.publications[0]
    assert publication.replaces == (PROVINCE, CITY)
    assert [(seal.by, seal.at) for seal in publication.seals] == [("platform-admin", samples.NOW.now_ms)] * 2


def test_only_what_was_merged_can_be_published(merged: Life) -> None:
    confirm(merged, PROVINCE)
    confirm(merged, CITY)
    assert merged.publish(name_zh="另一稿") == [("CANDIDATE_DIFFERS", "definition")]


def test_a_new_merge_has_no_seals(merged: Life) -> None:
    confirm(merged, PROVINCE)
    confirm(merged, CITY)
    merged.ask("draft_item", definition=definition(name_zh="再稿"), unit=CITY)
    assert merged.ask("merge_drafts", definition=definition(), replaces=[CITY]) == []
    assert merged.publish() == [("SEAL_MISSING", "definition")]


def test_a_draft_is_merged_once_and_only_if_it_stands(merged: Life) -> None:
    again = merged.ask("merge_drafts", definition=definition(), replaces=[PROVINCE, "420000-hbt"])
    assert again == [("DRAFT_UNKNOWN", "420000-gsj"), ("DRAFT_UNKNOWN", "420000-hbt")]


@pytest.mark.parametrize("unit", ["420000-hbt", "110000-gsj"])
def test_only_responsible_units_confirm(merged: Life, unit: str) -> None:
    assert confirm(merged, unit) == [("UNIT_NOT_RESPONSIBLE", "unit")]


def test_nothing_is_confirmed_that_was_not_merged(life: Life) -> None:
    assert confirm(life, PROVINCE) == [("NOTHING_TO_CONFIRM", "version")]


def test_where_no_unit_is_named_one_of_the_responsible_must_confirm(life: Life) -> None:
    life.ask("draft_item", definition=definition(seals=[]), unit=PROVINCE)
    life.ask("merge_drafts", definition=definition(seals=[]), replaces=[PROVINCE])
    assert life.publish(seals=[]) == [("SEAL_MISSING", "definition")]
    assert confirm(life, "429004-gsj") == []
    assert life.publish(seals=[]) == []


def test_what_the_notice_published_needs_its_number_and_no_draft(life: Life) -> None:
    assert life.publish(" ") == [("DOCUMENT_NUMBER_MISSING", "document_number")]
    assert life.publish() == []
    assert life.told[0]["confirmed_by"] == []


def test_a_definition_from_before_the_full_form_is_still_published_without_a_number(life: Life) -> None:
    old = samples.old_form("code-mapping")
    assert life.ask("publish_item", definition=old, schema_id=5) == []
    assert life.told[0]["document_number"] == ""


def test_a_rehearsal_is_answered_and_changes_nothing(life: Life) -> None:
    asked = {"definition": definition(), "rehearsal": True}
    assert life.ask("publish_item", **asked) == [("DOCUMENT_NUMBER_MISSING", "document_number")]
    assert life.ask("publish_item", **asked, document_number=NUMBER) == []
    assert life.told == []
    assert confirm(life, PROVINCE) == [("NOTHING_TO_CONFIRM", "version")]


ID_NUMBER = "420106190003070015"  # a synthetic one, of 1900
FORBIDDEN: dict[str, dict[str, Any]] = {
    "by its name": {"name_zh": "民族"},
    "by its English name": {"name_en": "Blood group"},
    "by its code": {"code": "xingbie"},
    "by a word in its code": {"code": "owner_religion"},
    "by the code of an identity document": {"code": "XK_XDR_ZJHM"},
    "by its code list": {"code_list": ["男", "女"]},
    "by one entry of it": {"code_list": ["其他", "土家族"]},
    "by a schooling, of a sole trader": {"code_list": ["本科", "其他*"]},
    "by a kind of document": {"code_list": ["身份证", "护照"]},
    "by a sample value": {"samples": ["AB型"]},
    "by a sample that is an identity number": {"samples": [ID_NUMBER]},
}


@pytest.mark.parametrize("how", FORBIDDEN)
@pytest.mark.parametrize("kind", ["draft_item", "merge_drafts", "publish_item"])
def test_an_item_with_a_forbidden_attribute_is_refused(life: Life, how: str, kind: str) -> None:
    field = {"code": "extra", "name_zh": "某", "name_en": "some", "type": "string", "max_length": 30}
    field |= {"required": "optional", "sensitivity": "none", **FORBIDDEN[how]}
    wrong = definition(fields=[*definition()["fields"], field])
    rest = {"unit": PROVINCE, "replaces": [PROVINCE], "schema_id": 5, "document_number": NUMBER}
    assert life.ask(kind, definition=wrong, **rest) == [("ATTRIBUTE_FORBIDDEN", field["code"])]
    assert ID_NUMBER not in str(life.reasons)


def test_every_reason_is_given_at_once(life: Life) -> None:
    wrong = definition(legal_basis=[], disclosure="secret", fields=[*definition()["fields"], {"name_zh": "血型"}])
    refused = life.ask("publish_item", definition=wrong, schema_id=-1)
    assert {code for code, _ in refused} == {
        "LEGAL_BASIS_MISSING", "DEFINITION_FAULT", "ATTRIBUTE_FORBIDDEN", "COMMAND_ARGUMENTS",
        "DOCUMENT_NUMBER_MISSING",
    }  # fmt: skip


# --- the next edition --------------------------------------------------------------------------------------------


@pytest.fixture
def read(life: Life) -> Life:
    """Published, and read by two."""
    life.publish()
    for reader, codes in (("tax-bureau", ["old_code", "mapped_on"]), ("bank", ["uscc"])):
        assert life.ask("register_consumer", code="code-mapping", consumer=reader, fields=codes) == []
    return life


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "gone": ({"old_code": None}, "tax-bureau (reads `old_code`, which is gone)"),
    "of another type": ({"mapped_on": {"type": "string", "max_length": 10}}, "which becomes string instead of date"),
    "no longer always there": ({"mapped_on": {"required": "optional"}}, "which may be absent from now on"),
    "hidden": ({"uscc": {"sensitivity": "commercial"}}, "bank (reads `uscc`, which becomes hidden)"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_edition_that_breaks_a_reader_is_refused_and_names_it(read: Life, how: str) -> None:
    change, said = BROKEN[how]
    (code,) = change
    assert ("READER_BROKEN", code) in read.publish(version=2, fields=fields(**change), national="")
    assert any(said in reason for reason in read.reasons)
    assert read.told[-1]["version"] == 1


def test_who_reads_no_longer_is_broken_no_longer(read: Life) -> None:
    assert read.ask("register_consumer", code="code-mapping", consumer="bank", fields=[]) == []
    hidden = fields(uscc={"sensitivity": "commercial"})
    assert read.publish(version=2, fields=hidden, national="") == []


def test_readers_are_told_with_the_item(read: Life) -> None:
    assert read.told[-1]["consumers"] == [
        {"name": "tax-bureau", "fields": ["mapped_on", "old_code"]},
        {"name": "bank", "fields": ["uscc"]},
    ]


def test_a_reader_of_what_is_not_there_is_refused(read: Life) -> None:
    assert read.ask("register_consumer", code="code-mapping", consumer="x", fields=["nothing", "uscc"]) == [
        ("FIELD_UNKNOWN", "nothing")
    ]
    assert Life().ask("register_consumer", code="nowhere", consumer="x", fields=[]) == [("ITEM_UNKNOWN", "code")]


INCOMPATIBLE: dict[str, dict[str, Any]] = {
    "a mandatory field more": {"extra": {"code": "extra", "name_zh": "某", "name_en": "some", "type": "date",
                                         "required": "mandatory", "sensitivity": "none"}},
    "a mandatory field less": {"old_kind": None},
    "another type": {"mapped_on": {"type": "int"}},
    "optional from now on": {"old_kind": {"required": "optional"}},
}  # fmt: skip


@pytest.mark.parametrize("how", INCOMPATIBLE)
def test_an_edition_that_cannot_read_the_others_is_refused(life: Life, how: str) -> None:
    life.publish()
    (code,) = INCOMPATIBLE[how]
    assert ("SCHEMA_INCOMPATIBLE", code) in life.publish(version=2, fields=fields(**INCOMPATIBLE[how]), national="")


def test_an_edition_is_compared_with_all_before_it(life: Life) -> None:
    """Not only with the last: FULL_TRANSITIVE."""
    extra = {"code": "extra", "name_zh": "某", "name_en": "some", "type": "date", "required": "optional"}
    extra |= {"sensitivity": "none"}
    assert life.publish() == []
    assert life.publish(version=2, fields=fields(extra=extra)) == []
    assert life.publish(version=3) == []
    assert ("SCHEMA_INCOMPATIBLE", "extra") in life.publish(version=4, fields=fields(extra=extra | {"type": "int"}))
    assert "edition 2" in life.reasons[0]


# --- retirement ------------------------------------------------------------------------------------------------------


def retire(life: Life) -> list[tuple[str, str]]:
    return life.ask("retire_item", code="code-mapping", reason="并入他项", document_number=NUMBER)


def test_a_retired_item_has_no_next_edition_and_stays_retired(life: Life) -> None:
    assert retire(life) == [("ITEM_UNKNOWN", "code")]
    life.publish()
    assert retire(life) == []
    assert retire(life) == []
    assert len(life.told) == 2
    assert life.told[-1]["retired_at"] is not None
    assert life.publish(version=2) == [("ITEM_RETIRED", "code")]
    assert life.ask("draft_item", definition=definition(version=2), unit=CITY) == [("ITEM_RETIRED", "code")]
    assert life.publish() == []


def test_what_a_command_lacks_is_named(life: Life) -> None:
    assert life.ask("retire_item") == [("COMMAND_ARGUMENTS", n) for n in ("code", "reason", "document_number")]
    assert life.ask("confirm_item", version=True, unit="gsj") == [
        ("COMMAND_ARGUMENTS", n) for n in ("code", "version", "unit", "document")
    ]
    assert life.ask("register_consumer", fields="all") == [
        ("COMMAND_ARGUMENTS", n) for n in ("code", "consumer", "fields")
    ]
    assert life.ask("merge_drafts", definition=definition(), replaces=[]) == [("COMMAND_ARGUMENTS", "replaces")]
    assert life.ask("draft_item", unit=PROVINCE) == [("COMMAND_ARGUMENTS", "definition")]
