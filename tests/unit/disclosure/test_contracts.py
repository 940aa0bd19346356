"""Bytes in, inputs out; events in, messages out."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import date
from typing import Any

import pytest

from services.chassis.errors import Unhandleable
from services.chassis.message import Moment
from services.chassis.schemas import AVRO, Schemas
from services.chassis.wire import unframe
from services.disclosure.contracts import changes, reference
from services.disclosure.contracts.records import LINKED, Linked, RecordReader
from services.disclosure.contracts.reference import CATALOGUE, SUBJECT, Catalogue
from services.disclosure.domain.edition import edition_of
from services.disclosure.domain.events import Code, RecordChanged
from services.disclosure.domain.terms import FEEDS
from services.disclosure.handlers.subject_files import SubjectFiles
from tests.support.fake_registry import FakeRegistry
from tests.support.linked_record import AT_MS, DAY, item_schema, linked, message, submission
from tests.unit.disclosure.samples import JIA, RECORD, seen, shown, tell

NOW = Moment(AT_MS)
ITEM = "org-penalty"
DEFINITION = {"fields": [{"code": "CF_NR"}, {"code": "CF_JDRQ"}, {"code": "CF_FRDB", "sensitivity": "person_name"}]}
PAYLOAD = {"CF_NR": "演示内容", "CF_FRDB": "演示某"}


@pytest.fixture
async def schemas() -> AsyncGenerator[Schemas]:
    async with FakeRegistry() as registry, Schemas(registry.url) as opened:
        await opened.register_all()
        yield opened


def catalogue() -> Catalogue:
    found = Catalogue()
    found.fill(1, {ITEM: [edition_of(ITEM, 1, json.dumps(DEFINITION), 0).edition]})
    return found


class Road:
    """A reader, and messages framed as identity frames them."""

    def __init__(self, schemas: Schemas, schema_id: int, known: Catalogue) -> None:
        self.schemas = schemas
        self.schema_id = schema_id
        self.reader = RecordReader(schemas, known)

    def read(self, action: str = "report", **envelope: Any) -> Linked:
        value = linked(ITEM, submission(ITEM, self.schema_id, PAYLOAD, **envelope), action=action)
        ours = self.schemas.schema_id(LINKED).to_bytes(4, "big")
        return self.reader.read(message(LINKED, b"S" * 16, value[:1] + ours + value[5:]), NOW)


@pytest.fixture
async def road(schemas: Schemas) -> Road:
    schema_id = await schemas.register_text(f"cn.hubei.credit.item.{ITEM}", json.dumps(item_schema(ITEM)))
    return Road(schemas, schema_id, catalogue())


def test_a_record_is_read_with_what_may_be_shown_of_it(road: Road) -> None:
    found = road.reader.complete(road.read(subject_code=" 91420100ma4klm0n5h "))
    assert (found.record_id, found.version, found.subject_id) == (b"R" * 16, 1, b"S" * 16)
    assert (found.feeds, found.at_ms) == (FEEDS, AT_MS)
    assert found.shown is not None
    assert found.shown.fields == {"CF_NR": "演示内容", "CF_JDRQ": DAY.isoformat()}
    assert found.shown[:7] == (ITEM, 1, "420000-hbt", "s-1", "91420100MA4KLM0N5H", "演示武汉甲贸易有限公司", DAY)


def test_a_person_is_shown_to_the_government_only_and_without_name_or_number(road: Road) -> None:
    envelope = {"subject_code_kind": "resident_id", "subject_code": "420106190003070015", "subject_name": "演示某"}
    found = road.reader.complete(road.read(subject_kind="person", **envelope))
    assert found.feeds == ("government",)
    assert found.shown is not None
    assert (found.shown.subject_code, found.shown.subject_name) == (None, None)
    assert not any(text in repr(found) for text in ("420106190003070015", "演示某"))


def test_a_number_of_no_organisation_is_not_passed_on(road: Road) -> None:
    found = road.reader.complete(road.read(subject_code_kind="resident_id", subject_code="420106190003070015"))
    assert found.shown is not None
    assert found.shown.subject_code is None
    assert found.shown.subject_name == "演示武汉甲贸易有限公司"


def test_a_withdrawal_is_not_decoded(road: Road) -> None:
    given = road.read("withdraw")
    assert given.needed is None
    assert road.reader.complete(given).shown is None


async def test_until_the_catalogue_is_here_what_may_be_shown_is_unknown(schemas: Schemas) -> None:
    road = Road(schemas, 7, Catalogue())
    given = road.read()
    assert given.needed is not None
    found = road.reader.complete(given)
    assert (found.feeds, found.shown) == (FEEDS, None)


def test_a_record_that_waits_is_looked_at_again_by_a_timer_that_holds_it_whole(road: Road) -> None:
    files, given = SubjectFiles(road.schemas, RecordReader(road.schemas, Catalogue())), road.read()
    (event,) = files.decide(files.initial(b""), given)
    (timer,) = files.timers(event, given)
    assert timer.body == given.value
    assert (timer.kind, list(files.announce(event, given))) == ("catalogue", [])


@pytest.mark.parametrize("cut", [0, 1, 5, 30, 80, 150])
def test_what_is_no_record_is_unhandleable(road: Road, cut: int) -> None:
    value = road.read().value
    with pytest.raises(Unhandleable):
        road.reader.read(message(LINKED, b"S" * 16, value[:cut] or None), NOW)


def test_a_submission_of_an_unknown_schema_is_unhandleable(road: Road) -> None:
    given = Road(road.schemas, 999, catalogue()).read()
    with pytest.raises(Unhandleable):
        road.reader.complete(given)


async def test_another_edition_of_the_contract_is_read_by_its_names(road: Road) -> None:
    schema = json.loads((AVRO / LINKED / "1.avsc").read_text(encoding="utf-8"))
    schema["fields"].append({"name": "later", "type": "string", "default": ""})
    newer = await road.schemas.register_text(f"{LINKED}-value", json.dumps(schema))
    given = road.read()
    value = given.value[:1] + newer.to_bytes(4, "big") + given.value[5:] + b"\x02x"
    again = road.reader.read(message(LINKED, b"S" * 16, value), NOW)
    assert again == given._replace(value=value)


def test_a_change_is_told_on_the_topic_of_its_feed(schemas: Schemas) -> None:
    _, said = tell(seen(fields={"A": "1"}), seen(2, action="correct", fields={"A": "2"}))
    told = [changes.record_changed(schemas, event) for event in said if isinstance(event, RecordChanged)]
    topics = [changes.TOPICS[feed] for feed in FEEDS]
    assert [one.topic for one in told] == [*topics, *topics]
    assert {(one.key, one.kind, one.subject) for one in told} == {(JIA, changes.KIND, JIA.hex())}
    _, record = schemas.decode(told[-1].value)
    assert (record["subject_id"], record["record_id"], record["subject_seq"]) == (JIA, RECORD, 2)
    assert (record["change"], record["version"], record["reason"]) == ("CORRECTED", 2, None)
    assert (record["before"], record["after"], record["fields_changed"]) == ({"A": "1"}, {"A": "2"}, ["A"])
    assert (record["agency"], record["decided_on"]) == (shown().agency, date(2017, 9, 28))


def test_both_feeds_say_the_same_of_a_public_record(schemas: Schemas) -> None:
    _, said = tell(seen())
    one, other = (changes.record_changed(schemas, e) for e in said if isinstance(e, RecordChanged))
    assert unframe(one.value) == unframe(other.value)


def test_a_definition_that_cannot_be_read_is_unhandleable(schemas: Schemas) -> None:
    record = {"code": ITEM, "version": 1, "definition": "{}", "schema_id": 1, "published_at": 1}
    with pytest.raises(Unhandleable):
        reference.read_edition(schemas, message(CATALOGUE, b"", schemas.encode(CATALOGUE, record)), NOW)


def test_texts_of_a_subject_are_kept_as_they_can_be_stored(schemas: Schemas) -> None:
    record = {
        "subject_id": JIA,
        "subject_version": 1,
        "change": "REGISTERED",
        "subject_kind": "org",
        "name": "甲" * 300 + "\0",
        "codes": [{"kind": "uscc", "code": " A\nB\0 "}],
        "changed_at": 1,
    }
    found = reference.read_subject(schemas, message(SUBJECT, JIA, schemas.encode(SUBJECT, record)), NOW)
    assert found.name == "甲" * reference.NAME_LIMIT
    assert found.codes == (Code("uscc", "AB\ufffd"),)
