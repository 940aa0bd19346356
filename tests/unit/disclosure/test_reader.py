"""Linked records by name, not by place; and of a person nothing by which it is known."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncGenerator
from typing import Any

import fastavro
import pytest

from services.chassis.message import Moment
from services.chassis.schemas import AVRO, Schemas
from services.chassis.wire import frame
from services.disclosure.contracts import changes
from services.disclosure.contracts.records import LINKED, Linked, RecordReader
from services.disclosure.contracts.reference import Catalogue
from services.disclosure.domain.edition import Edition
from services.disclosure.domain.events import FieldRule
from services.disclosure.domain.inputs import RecordSeen
from services.disclosure.domain.terms import FEEDS
from tests.support.fake_registry import FakeRegistry
from tests.support.linked_record import AT_MS, item_schema, message, submission
from tests.unit.disclosure.samples import JIA, RECORD

ITEM, NUMBER = "org-penalty", "420106190003070015"
RULES = (FieldRule("CF_XDR_MC", True), FieldRule("CF_XDR_SHXYM", True), FieldRule("CF_WSH", False))
PAYLOAD = {"CF_XDR_MC": "演示某", "CF_XDR_SHXYM": NUMBER, "CF_WSH": "演示号", "CF_FRDB": "演示某"}
NAMES = {"subject_code_kind": "resident_id", "subject_code": NUMBER, "subject_name": "演示某"}
CONTRACT = json.loads((AVRO / LINKED / "1.avsc").read_text(encoding="utf-8"))


@pytest.fixture
async def schemas() -> AsyncGenerator[Schemas]:
    async with FakeRegistry() as registry, Schemas(registry.url) as opened:
        await opened.register_all()
        yield opened


async def read(schemas: Schemas, contract: dict[str, Any] = CONTRACT, **changed: Any) -> tuple[Linked, RecordSeen]:
    """A record of a contract's edition, by its head and completed; `subject_kind` goes into the submission."""
    kind = changed.pop("subject_kind", "org")
    item_id = await schemas.register_text(f"cn.hubei.credit.item.{ITEM}", json.dumps(item_schema(ITEM)))
    submitted = submission(ITEM, item_id, PAYLOAD, subject_kind=kind, **(NAMES if kind == "person" else {}))
    record = {
        **dict.fromkeys(("link_rule", "item_class", "later"), "x"),
        "subject_id": JIA,
        "record_id": RECORD,
        "version": 1,
        "item": ITEM,
        "item_version": 1,
        "linked_at": AT_MS + 1,
        "accepted_at": AT_MS,
        "due_on": None,
        "submission": submitted,
        "disclosure": "public",
        "action": "report",
        "agency": "420000-hbt",
        "submission_id": "s-1",
        **changed,
    }
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(contract), record)
    schema_id = await schemas.register_text(f"{LINKED}-value", json.dumps(contract))
    known = Catalogue()
    known.fill(1, {ITEM: [Edition(1, RULES)]})
    reader = RecordReader(schemas, known)
    linked = reader.read(message(LINKED, JIA, frame(schema_id, out.getvalue())), Moment(AT_MS + 2))
    return linked, reader.complete(linked)


async def test_of_a_person_neither_the_envelope_nor_the_payload_names_it(schemas: Schemas) -> None:
    _, found = await read(schemas, subject_kind="person")
    assert found.feeds == ("government",)
    assert found.shown is not None
    assert found.shown.fields == {"CF_WSH": "演示号"}
    assert not any(text in repr(found) for text in (NUMBER, "演示某"))


async def test_of_an_organisation_the_payload_may_name_it_but_no_person_behind_it(schemas: Schemas) -> None:
    _, found = await read(schemas)
    assert found.shown is not None
    assert found.shown.fields.keys() == {"CF_XDR_MC", "CF_XDR_SHXYM", "CF_WSH"}


async def test_it_is_told_when_the_record_was_accepted_not_when_it_was_linked_or_read(schemas: Schemas) -> None:
    linked, found = await read(schemas)
    assert (linked.accepted_at_ms, found.at_ms) == (AT_MS, AT_MS + 2)
    assert found.shown is not None
    assert found.shown.accepted_at_ms == AT_MS


async def test_another_order_of_fields_and_a_new_one_in_front_are_read_by_name(schemas: Schemas) -> None:
    """Both are compatible, and both move every field that a reader by place would take."""
    known, _ = await read(schemas)
    later = {"name": "later", "type": "string", "default": ""}
    first, *rest = CONTRACT["fields"]  # the first one defines Id16
    for fields in ([later, first, *rest], [first, *reversed(rest)]):
        found, seen = await read(schemas, {**CONTRACT, "fields": fields})
        assert found == known._replace(value=found.value)
        assert seen.shown is not None


@pytest.mark.parametrize("disclosure", ["authorised", "", "PUBLIC"])
async def test_what_nobody_may_have_is_not_decoded(schemas: Schemas, disclosure: str) -> None:
    linked, found = await read(schemas, disclosure=disclosure)
    assert (linked.needed, found.feeds, found.shown) == (None, (), None)


async def test_each_feed_has_its_own_subject_at_the_registry() -> None:
    async with FakeRegistry() as registry, Schemas(registry.url) as opened:
        await changes.register(opened)
        assert registry.subjects.keys() == {f"credit.disclosure.{feed}-change.v1-value" for feed in FEEDS}
